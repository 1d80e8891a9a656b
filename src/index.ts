/**
 * coi as a library: open, list, run in, attach to and end sessions from TypeScript.
 *
 * ```ts
 * import { openCoi } from 'coi';
 *
 * await using coi = openCoi();
 * await using session = await coi.open({ workspace: '/home/me/shop' });
 * const { status, stdout } = await session.run(['make', 'test']);
 * ```
 *
 * It needs the same as the command `coi`: a host prepared by `coi setup`, and membership in the group incus-admin.
 * Failures are thrown as a {@link CoiError} with one of the codes of docs/reference/errors.md.
 */
import type { AppContext } from './app/context.ts';
import { makeCoi } from './app/embedding/coi.ts';
import { noteEnd } from './app/end-sessions/note-end.ts';
import { reportHandoff } from './app/handoff/after-session.ts';
import { lineProgress } from './app/line-progress.ts';
import { type ClosableContext, makeContext } from './app/make-context.ts';
import { quietParts } from './app/quiet-context.ts';
import { runningContainer } from './app/targets/container-by-name.ts';
import { attachSession } from './app/terminal/attach-session.ts';
import { noTerminal } from './app/terminal/no-terminal.ts';
import { handleTerminalEnd, hasEnded } from './app/terminal/terminal-end.ts';
import { outerPrefix, reportNesting } from './app/terminal/tmux-appearance.ts';
import { keys } from './instance-keys.ts';
import type { Coi, CoiOptions } from './library-types.ts';
import { alertMessage, alertNow, parseAlert } from './monitor/alert.ts';
import { parseContainerName } from './names.ts';
import { incusFailure } from './session/lifecycle/incus-failure.ts';
import { type ContainerRef, StaleContainerRef } from './session/record/change-instance.ts';
import { matchesRef } from './session/record/container-ref.ts';

export { CoiError, type ErrorCode, type ErrorDetails } from './errors.ts';

export type * from './library-types.ts';

/** Connects on first use. */
export function openCoi(options: CoiOptions = {}): Coi {
  const app = contextFor(options);
  return makeCoi(app, (ref) => attachTo(app, ref));
}

/** Attaches the terminal of this process. Throws `no-terminal`, `session-not-found`. */
async function attachTo(app: AppContext, ref: ContainerRef): Promise<void> {
  const found = await runningContainer(app, {}, ref.name);
  if (!matchesRef(ref, found.instance)) throw new StaleContainerRef(ref.name, true);
  const { stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY) throw noTerminal('coi attach');
  const name = parseContainerName(found.name);
  const { session, instance } = found;
  const alert = alertNow(parseAlert(instance.config[keys.alert]), found.status);
  const message = alert && alertMessage(name, alert);
  if (message) app.report.info(message);
  const outer = outerPrefix(app);
  const onOpen = (prefix: string | undefined) => reportNesting(app, outer, prefix);
  // The terminal belongs to the caller: write nothing outside of the agent's screen.
  const terminal = { stdin, stdout, onOpen, showAlert: () => {} };
  try {
    const { end, problem } = await attachSession(
      app,
      { outerPrefix: outer },
      { ...found, name },
      terminal,
    );
    if (problem) app.report.warn(problem);
    // Detaching and `exit` leave the session running; any other end of the terminal may have ended it.
    if (end.kind !== 'lost' && !(end.kind === 'exited' && end.status !== 0)) return;
    const left = {
      container: name,
      reservation: session?.mounts.id,
      workspace: session?.workspace,
      store: session,
      alias: session?.alias,
    };
    const { outcome } = await handleTerminalEnd(app, left, end);
    if (hasEnded(outcome) && session)
      await reportHandoff(app, { workspace: session.workspace, container: name }, '[cleanup] ');
    if (session) noteEnd(app, session);
  } catch (error) {
    throw incusFailure(error, `attaching to ${name} failed`);
  }
}

/** Passes coi's messages to the caller's `tell`. */
function contextFor({
  cwd,
  env = process.env,
  tell = () => {},
  signal,
}: CoiOptions): ClosableContext {
  const report = {
    info: tell,
    detail: tell,
    warn: (text: string) => tell(`Warning: ${text}`),
    setup: (text: string) => tell(`[setup] ${text}`),
  };
  return makeContext({
    ...quietParts,
    env,
    cwd: cwd ?? process.cwd(),
    signal: signal ?? new AbortController().signal,
    report,
    progress: () => lineProgress(report),
  });
}
