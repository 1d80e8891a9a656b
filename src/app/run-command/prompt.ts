// coi run --prompt: one prompt for the agent, without a terminal. The conversation is kept as that of any session.
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';
import { type Handed, handOverIf } from '../../session/plan/environment.ts';
import type { AppContext } from '../context.ts';
import { orTakenBack } from '../open-session/missing-agent.ts';
import type { SelectedSession } from '../open-session/select-session.ts';
import { startSession } from '../open-session/start-session.ts';
import { registerAlias } from '../open-session/workspace-alias.ts';
import type { OpenSessionRequest } from '../requests.ts';
import { agentAndGit } from '../session-spec/git-identity.ts';
import { agentVariables, followAgent } from '../terminal/ssh-agent-forwarding.ts';
import { fileText } from '../text-file.ts';
import { endOfRun } from './end-of-run.ts';
import { type RunningCommand, starting, type TimeLimit } from './outcome.ts';

export type PromptSource =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'file'; readonly path: string }
  /** Of [prompts]. */
  | { readonly kind: 'name'; readonly name: string };

export interface PromptRequest extends OpenSessionRequest {
  readonly prompt: PromptSource;
  readonly limit: TimeLimit | undefined;
}

/** Runs the agent by `run`, whose result is returned. Throws `usage` for anything that cannot be asked. */
export async function runPrompt<T>(
  app: AppContext,
  request: PromptRequest,
  selected: SelectedSession,
  run: (container: string, command: RunningCommand) => Promise<T>,
): Promise<T> {
  const { at, resolved } = selected;
  const text = promptText(app, request.prompt, selected);
  if (resolved.settings['tool.permission_mode'] !== 'bypass')
    throw new CoiError('usage', 'a prompt without a terminal needs permission_mode = "bypass"', {
      hint: 'Nobody could answer what the agent asks: see [tool] permission_mode.',
    });
  await registerAlias(app, selected);
  const { forwarding, git } = await agentAndGit(app, resolved, at.workspace);
  const progress = app.progress();
  const live = await startSession(app, request, { ...selected, git }, progress.tell).finally(
    progress.clear,
  );
  const { container, target, command, needs } = live;
  const ref = { name: container, mountsId: live.reservation };
  let takenBack = false;
  try {
    const start = await starting(app, container, target);
    const problem =
      forwarding.kind === 'forward' && (await followAgent(app, ref, forwarding, { tmux: false }));
    if (problem) app.report.warn(problem);
    const environment = { ...live.environment, ...agentVariables(forwarding) };
    // What follows the hand-over is the agent's stdin.
    const input = text.endsWith('\n') ? text : `${text}\n`;
    const handed = withInput(handOverIf(needs, environment, command), input);
    const running = run(container, { start, handed, limit: request.limit });
    return await orTakenBack(app, selected, live, running);
  } catch (error) {
    takenBack = error instanceof CoiError && error.code === 'tool-missing';
    throw error;
  } finally {
    if (!takenBack) await endOfRun(app, ref, selected.persistent ? 'persistent' : 'other');
  }
}

function withInput(handed: Handed, input: string): Handed {
  return typeof handed === 'string'
    ? `${handed}${input}`
    : { ...handed, text: `${handed.text}${input}` };
}

/** Throws `usage` where there is no text. */
function promptText(
  app: AppContext,
  source: PromptSource,
  { resolved, at }: SelectedSession,
): string {
  const text = source.kind === 'text' ? source.text : read(source);
  if (text.trim() === '') throw new CoiError('usage', 'the prompt is empty');
  return text;

  function read(from: Exclude<PromptSource, { kind: 'text' }>): string {
    if (from.kind === 'file') return fileText(app, from.path, 'the prompt file', at.workspace);
    const prompts = resolved.settings.prompts;
    const found = Object.hasOwn(prompts, from.name) ? prompts[from.name] : undefined;
    if (found === undefined)
      throw new CoiError('usage', `there is no prompt ${quoted(from.name)}`, {
        hint: `[prompts] has: ${Object.keys(prompts).join(', ') || 'none'}.`,
      });
    return typeof found === 'string'
      ? found
      : fileText(app, found.file, 'the prompt file', at.workspace);
  }
}
