// coi run --prompt: one prompt for the agent, without a terminal. The conversation is kept as that of any session.
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { quoted } from '../names.ts';
import { type Handed, handOverIf } from '../session/environment.ts';
import { stepProgress } from '../ui/progress.ts';
import { agentVariables, followAgent } from './agent.ts';
import { registerAlias } from './alias.ts';
import { bringUp } from './bring-up.ts';
import { endOfRun } from './end-of-run.ts';
import { agentAndGit } from './git-inside.ts';
import { type Meant, meantSession, type ShellOptions } from './meant.ts';
import { type OutcomeOptions, outcome, starting } from './run-outcome.ts';
import { tellWarnings } from './tell-warnings.ts';
import { fileText } from './text-file.ts';
import { orTakenBack } from './tool-missing.ts';

type Options = PromptOptions & OutcomeOptions & ShellOptions;

export interface PromptOptions {
  prompt?: string;
  promptFile?: string;
  promptName?: string;
}

export function hasPrompt({ prompt, promptFile, promptName }: PromptOptions): boolean {
  return [prompt, promptFile, promptName].some((one) => one !== undefined);
}

/** Returns the agent's exit status. Throws `usage` for anything that cannot be asked. */
export async function runPrompt(
  app: App,
  options: Options,
  limitMs: number | undefined,
): Promise<number> {
  const asked: ShellOptions = { ...options, headless: true };
  const meant = await meantSession(app, asked, undefined);
  tellWarnings(app, meant.resolved);
  const text = promptText(app, options, meant);
  if (meant.resolved.settings['tool.permission_mode'] !== 'bypass')
    throw new CoiError('usage', 'a prompt without a terminal needs permission_mode = "bypass"', {
      hint: 'Nobody could answer what the agent asks: see [tool] permission_mode.',
    });
  await registerAlias(app, meant);
  const { forwarding, git } = await agentAndGit(app, meant.resolved, meant.at.workspace);
  const progress = stepProgress(app.io);
  const live = await bringUp(app, asked, { ...meant, git }, progress.tell).finally(progress.clear);
  const { container, target, command, needs } = live;
  let takenBack = false;
  try {
    const start = await starting(app, container, target);
    const ref = { name: container, mountsId: live.reservation };
    const problem =
      forwarding.kind === 'forward' && (await followAgent(app, ref, forwarding, { tmux: false }));
    if (problem) app.io.warn(problem);
    const environment = { ...live.environment, ...agentVariables(forwarding) };
    // What follows the hand-over is the agent's stdin.
    const input = text.endsWith('\n') ? text : `${text}\n`;
    const handed = withInput(handOverIf(needs, environment, command), input);
    const asked = outcome(app, options, container, start, handed, limitMs, false);
    return await orTakenBack(app, meant, live, asked);
  } catch (error) {
    takenBack = error instanceof CoiError && error.code === 'tool-missing';
    throw error;
  } finally {
    if (!takenBack)
      await endOfRun(
        app,
        { name: container, mountsId: live.reservation },
        meant.persistent ? 'persistent' : 'other',
      );
  }
}

function withInput(handed: Handed, input: string): Handed {
  return typeof handed === 'string'
    ? `${handed}${input}`
    : { ...handed, text: `${handed.text}${input}` };
}

/** Throws `usage` unless there is exactly one source with a text. */
function promptText(app: App, options: PromptOptions, { resolved, at }: Meant): string {
  const { prompt, promptFile, promptName } = options;
  if ([prompt, promptFile, promptName].filter((one) => one !== undefined).length > 1)
    throw new CoiError('usage', '--prompt, --prompt-file and --prompt-name exclude each other', {
      hint: 'Use one of them.',
    });
  const text =
    prompt ??
    (promptFile === undefined
      ? named()
      : fileText(app, promptFile, 'the prompt file', at.workspace));
  if (text.trim() === '') throw new CoiError('usage', 'the prompt is empty');
  return text;

  function named(): string {
    const prompts = resolved.settings.prompts;
    const found = Object.hasOwn(prompts, promptName ?? '') ? prompts[promptName ?? ''] : undefined;
    if (found === undefined)
      throw new CoiError('usage', `there is no prompt ${quoted(promptName ?? '')}`, {
        hint: `[prompts] has: ${Object.keys(prompts).join(', ') || 'none'}.`,
      });
    return typeof found === 'string'
      ? found
      : fileText(app, found.file, 'the prompt file', at.workspace);
  }
}
