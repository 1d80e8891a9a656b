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
import { currentActivity, sendText, waitForSession } from './app/attention/of-session.ts';
import type { AppContext } from './app/context.ts';
import { freeWithCoid } from './app/end-sessions/free-stuck.ts';
import { noteEnd } from './app/end-sessions/note-end.ts';
import { reportHandoff } from './app/handoff/after-session.ts';
import { lineProgress } from './app/line-progress.ts';
import { type ClosableContext, makeContext } from './app/make-context.ts';
import { openDetached, startSelected } from './app/open-session/open-session.ts';
import { reportStart } from './app/open-session/report-start.ts';
import { selectSession } from './app/open-session/select-session.ts';
import { quietParts } from './app/quiet-context.ts';
import type { OpenSessionRequest } from './app/requests.ts';
import { execRequest } from './app/run-command/command-in-container.ts';
import { outputBytesDefault, outputBytesLimit } from './app/run-command/limited-output.ts';
import { type CaptureOptions, captureStreams } from './app/run-command/streams.ts';
import { existingContainer, runningContainer } from './app/targets/container-by-name.ts';
import { ownContainers } from './app/targets/user-containers.ts';
import { attachSession } from './app/terminal/attach-session.ts';
import { noTerminal } from './app/terminal/no-terminal.ts';
import { handleTerminalEnd, hasEnded } from './app/terminal/terminal-end.ts';
import { outerPrefix, reportNesting } from './app/terminal/tmux-appearance.ts';
import { CoiError } from './errors.ts';
import { agentIds } from './guest-user.ts';
import { keys } from './instance-keys.ts';
import type {
  Coi,
  CoiOptions,
  OpenOptions,
  RunOptions,
  RunResult,
  Session,
  SessionInfo,
} from './library-types.ts';
import { alertMessage, alertNow, parseAlert } from './monitor/alert.ts';
import { parseContainerName, parseSessionId, parseSlot } from './names.ts';
import { killContainer, shutDownContainer } from './session/lifecycle/end-container.ts';
import { incusFailure } from './session/lifecycle/incus-failure.ts';
import type { StartExec } from './session/lifecycle/secret-handover.ts';
import { handoverText, parseVariable } from './session/plan/environment.ts';
import { parseMount } from './session/plan/extra-mounts.ts';
import { type ContainerRef, StaleContainerRef } from './session/record/change-instance.ts';
import { matchesRef, refOf } from './session/record/container-ref.ts';
import {
  aliasOf,
  type Container,
  isPersistent,
  workspaceOf,
} from './session/record/instance-record.ts';

export { CoiError, type ErrorCode, type ErrorDetails } from './errors.ts';

export type * from './library-types.ts';

const shutdownMs = 60_000;

/** Connects on first use. */
export function openCoi(options: CoiOptions = {}): Coi {
  const app = contextFor(options);
  return {
    version: app.version,
    open: async (wanted = {}) => {
      const { name, mountsId } = await openSession(app, wanted);
      const made = await existingContainer(app, {}, name);
      if (made.session?.mounts.id !== mountsId) throw new StaleContainerRef(name, true);
      return makeSession(app, made, made.session?.persistent !== true);
    },
    list: async () => (await ownContainers(app, {})).map(sessionInfo),
    session: async (name) => makeSession(app, await existingContainer(app, {}, name), false),
    close: () => app.close(),
    [Symbol.asyncDispose]: () => app.close(),
  };
}

function makeSession(app: AppContext, container: Container, endOnDispose: boolean): Session {
  const { session } = container;
  const ref = refOf(container.instance);
  let ended = false;
  const end: Session['end'] = async ({ force = false, timeoutMs = shutdownMs } = {}) => {
    const incus = await app.incus();
    const free = freeWithCoid(app);
    // A session that is disposed of after an abort must still end.
    const signal = app.signal.aborted ? new AbortController().signal : app.signal;
    if (force) await killContainer(incus, ref, signal, free);
    else await shutDownContainer(incus, ref, { timeoutMs, signal, free, forced: () => {} });
    ended = true;
    if (session) noteEnd(app, session);
  };
  return {
    info: sessionInfo(container),
    run: (argv, options = {}) => runIn(app, ref, argv, options),
    status: async () => currentActivity(app, ref),
    wait: (options = {}) => waitForSession(app, ref, options),
    send: (text, options = {}) => sendText(app, ref, text, options),
    attach: () => attachTo(app, ref),
    end,
    [Symbol.asyncDispose]: async () => {
      if (endOnDispose && !ended) await end({ force: true });
    },
  };
}

async function runIn(
  app: AppContext,
  ref: ContainerRef,
  argv: readonly string[],
  {
    cwd,
    env = {},
    input = '',
    user = 'agent',
    signal,
    outputBytesMax = outputBytesDefault,
  }: RunOptions,
): Promise<RunResult> {
  if (argv.length === 0) throw new CoiError('usage', 'there is no command to run');
  if (!(outputBytesMax >= 0 && outputBytesMax <= outputBytesLimit))
    throw new CoiError('usage', `outputBytesMax is not between 0 and ${outputBytesLimit}`);
  const { name } = ref;
  const container = await runningContainer(app, {}, name);
  if (!matchesRef(ref, container.instance)) throw new StaleContainerRef(name, true);
  const id = user === 'root' ? 0 : agentIds.uid;
  const request = { ...execRequest(app, container, cwd, id), user: id, group: id };
  const incus = await app.incus();
  const start: StartExec = (until) => incus.execPiped(name, request, { signal: until });
  const captureOptions: CaptureOptions = {
    input,
    outputBytesMax,
    signal: signal ? AbortSignal.any([app.signal, signal]) : app.signal,
  };
  try {
    return await captureStreams(app, start, handoverText(env, argv), captureOptions);
  } catch (error) {
    throw incusFailure(error, `running a command in ${name} failed`);
  }
}

function sessionInfo(container: Container): SessionInfo {
  const { name, status, session } = container;
  return {
    name,
    status,
    id: session?.session,
    workspace: workspaceOf(container),
    slot: session?.slot,
    tool: session?.tool,
    persistent: isPersistent(container),
    alias: aliasOf(container),
  };
}

/** As `coi shell --background` does. */
async function openSession(app: AppContext, wanted: OpenOptions): Promise<ContainerRef> {
  try {
    const request = openRequest(app, wanted);
    const selected = await selectSession(app, request);
    for (const warning of selected.resolved.warnings) app.report.warn(warning);
    const started = await startSelected(app, request, selected);
    reportStart(app, request, started);
    await openDetached(app, started);
    return { name: started.live.container, mountsId: started.live.reservation };
  } catch (error) {
    throw incusFailure(error, 'opening the session failed');
  }
}

/** Throws `usage`. */
function openRequest(app: AppContext, wanted: OpenOptions): OpenSessionRequest {
  const { slot, env = {}, mounts = [], resume, ...same } = wanted;
  return {
    ...same,
    mode: 'background',
    slot: slot === undefined ? undefined : parseSlot(String(slot)),
    resume:
      resume === undefined || resume === false
        ? undefined
        : resume === true
          ? 'newest'
          : parseSessionId(resume),
    env: Object.entries(env).map(([name, value]) => parseVariable(`${name}=${value}`)),
    envFiles: [],
    mounts: mounts.map((text) => parseMount(text, app.cwd, app.user.home)),
  };
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
