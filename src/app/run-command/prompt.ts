// coi run --prompt: one prompt for the agent, without a terminal. The conversation is saved like that of any session.
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';
import { type Handover, handoverTextIf } from '../../session/plan/environment.ts';
import type { AppContext } from '../context.ts';
import { undoIfMissing } from '../open-session/missing-agent.ts';
import type { SelectedSession } from '../open-session/select-session.ts';
import { startSession } from '../open-session/start-session.ts';
import { registerAlias } from '../open-session/workspace-alias.ts';
import type { OpenSessionRequest } from '../requests.ts';
import { sshAgentAndGit } from '../session-spec/git-identity.ts';
import { sshAgentVariables, syncSshAgent } from '../terminal/ssh-agent-forwarding.ts';
import { readTextFile } from '../text-file.ts';
import { endOfRun } from './end-of-run.ts';
import { commandStarter, type RunningCommand } from './execute.ts';
import type { TimeLimit } from './time-limit.ts';

export type PromptSource =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'file'; readonly path: string }
  /** A prompt of [prompts]. */
  | { readonly kind: 'name'; readonly name: string };

export interface PromptRequest extends OpenSessionRequest {
  readonly prompt: PromptSource;
  readonly limit: TimeLimit | undefined;
}

/** Runs the agent with `run` and returns its result. Throws `usage` for an invalid prompt. */
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
      hint: 'Set it under [tool]: without a terminal nobody can answer permission prompts.',
    });
  await registerAlias(app, selected);
  const { forwarding, git } = await sshAgentAndGit(app, resolved, at.workspace);
  const progress = app.progress();
  const live = await startSession(app, request, { ...selected, git }, progress.update).finally(
    progress.clear,
  );
  const { container, target, command, needs } = live;
  const ref = { name: container, mountsId: live.reservation };
  let startUndone = false;
  try {
    const start = await commandStarter(app, container, target);
    const problem =
      forwarding.kind === 'forward' && (await syncSshAgent(app, ref, forwarding, { tmux: false }));
    if (problem) app.report.warn(problem);
    const environment = { ...live.environment, ...sshAgentVariables(forwarding) };
    // Input after the handover is the agent's stdin.
    const input = text.endsWith('\n') ? text : `${text}\n`;
    const handed = withInput(handoverTextIf(needs, environment, command), input);
    const running = run(container, { start, handed, limit: request.limit });
    return await undoIfMissing(app, selected, live, running);
  } catch (error) {
    startUndone = error instanceof CoiError && error.code === 'tool-missing';
    throw error;
  } finally {
    if (!startUndone) await endOfRun(app, ref, selected.persistent ? 'persistent' : 'other');
  }
}

function withInput(handed: Handover, input: string): Handover {
  return typeof handed === 'string'
    ? `${handed}${input}`
    : { ...handed, text: `${handed.text}${input}` };
}

/** Throws `usage` if there is no text. */
function promptText(
  app: AppContext,
  source: PromptSource,
  { resolved, at }: SelectedSession,
): string {
  const text = source.kind === 'text' ? source.text : read(source);
  if (text.trim() === '') throw new CoiError('usage', 'the prompt is empty');
  return text;

  function read(from: Exclude<PromptSource, { kind: 'text' }>): string {
    if (from.kind === 'file') return readTextFile(app, from.path, 'the prompt file', at.workspace);
    const prompts = resolved.settings.prompts;
    const found = Object.hasOwn(prompts, from.name) ? prompts[from.name] : undefined;
    if (found === undefined)
      throw new CoiError('usage', `there is no prompt ${quoted(from.name)}`, {
        hint: `[prompts] has: ${Object.keys(prompts).join(', ') || 'none'}.`,
      });
    return typeof found === 'string'
      ? found
      : readTextFile(app, found.file, 'the prompt file', at.workspace);
  }
}
