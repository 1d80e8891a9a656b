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
 * It needs what the command `coi` needs: a host that `coi setup` made ready, and membership in the group incus-admin.
 * What can go wrong is thrown as a {@link CoiError} with one of the codes of docs/reference/errors.md.
 */
import type { AppContext } from './app/context.ts';
import { freeing } from './app/end-sessions/free-stuck.ts';
import { noteEnd } from './app/end-sessions/note-end.ts';
import { reportHandoff } from './app/handoff/after-session.ts';
import { lineProgress } from './app/line-progress.ts';
import { type ClosableContext, makeContext } from './app/make-context.ts';
import { openDetached, startSelected } from './app/open-session/open-session.ts';
import { reportStart } from './app/open-session/report-start.ts';
import { selectSession } from './app/open-session/select-session.ts';
import { quietParts } from './app/quiet-context.ts';
import type { OpenSessionRequest } from './app/requests.ts';
import { starter } from './app/run-command/command-in-container.ts';
import { keptBytesLimit, keptBytesMax } from './app/run-command/limited-output.ts';
import { type OutputWish, outputOf } from './app/run-command/streams.ts';
import { existingContainer, runningContainer } from './app/targets/container-by-name.ts';
import { ownContainers } from './app/targets/user-containers.ts';
import { attachSession } from './app/terminal/attach-session.ts';
import { endOfTerminal, isOver } from './app/terminal/end-of-terminal.ts';
import { noTerminal } from './app/terminal/no-terminal.ts';
import { hintOfNesting, outerPrefix } from './app/terminal/tmux-appearance.ts';
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
import type { Start } from './session/lifecycle/secret-handover.ts';
import { handOver, parseVariable } from './session/plan/environment.ts';
import { parseMount } from './session/plan/extra-mounts.ts';
import { type ContainerRef, NotMeant } from './session/record/change-instance.ts';
import { isMeant, refOf } from './session/record/container-ref.ts';
import { aliasOf, type Container, isKept, workspaceOf } from './session/record/instance-record.ts';

export { CoiError, type ErrorCode, type ErrorDetails } from './errors.ts';

export type * from './library-types.ts';

const shutdownMs = 60_000;

/** Connects when something is asked for. */
export function openCoi(options: CoiOptions = {}): Coi {
  const app = contextFor(options);
  return {
    version: app.version,
    open: async (wanted = {}) => {
      const { name, mountsId } = await opened(app, wanted);
      const made = await existingContainer(app, {}, name);
      if (made.session?.mounts.id !== mountsId) throw new NotMeant(name, true);
      return sessionOf(app, made, made.session?.persistent !== true);
    },
    list: async () => (await ownContainers(app, {})).map(infoOf),
    session: async (name) => sessionOf(app, await existingContainer(app, {}, name), false),
    close: () => app.close(),
    [Symbol.asyncDispose]: () => app.close(),
  };
}

function sessionOf(app: AppContext, container: Container, endsWithUs: boolean): Session {
  const { session } = container;
  const ref = refOf(container.instance);
  let ended = false;
  const end: Session['end'] = async ({ force = false, timeoutMs = shutdownMs } = {}) => {
    const incus = await app.incus();
    const free = freeing(app);
    // What is disposed of because of an abort has to be ended nevertheless.
    const signal = app.signal.aborted ? new AbortController().signal : app.signal;
    if (force) await killContainer(incus, ref, signal, free);
    else await shutDownContainer(incus, ref, { timeoutMs, signal, free, forced: () => {} });
    ended = true;
    if (session) noteEnd(app, session);
  };
  return {
    info: infoOf(container),
    run: (argv, options = {}) => runIn(app, ref, argv, options),
    attach: () => attachTo(app, ref),
    end,
    [Symbol.asyncDispose]: async () => {
      if (endsWithUs && !ended) await end({ force: true });
    },
  };
}

async function runIn(
  app: AppContext,
  ref: ContainerRef,
  argv: readonly string[],
  { cwd, env = {}, input = '', user = 'agent', signal, outputBytesMax = keptBytesMax }: RunOptions,
): Promise<RunResult> {
  if (argv.length === 0) throw new CoiError('usage', 'there is no command to run');
  if (!(outputBytesMax >= 0 && outputBytesMax <= keptBytesLimit))
    throw new CoiError('usage', `outputBytesMax is not between 0 and ${keptBytesLimit}`);
  const { name } = ref;
  const container = await runningContainer(app, {}, name);
  if (!isMeant(ref, container.instance)) throw new NotMeant(name, true);
  const id = user === 'root' ? 0 : agentIds.uid;
  const request = { ...starter(app, container, cwd, id), user: id, group: id };
  const incus = await app.incus();
  const start: Start = (until) => incus.execPiped(name, request, { signal: until });
  const wish: OutputWish = {
    input,
    keptBytes: outputBytesMax,
    signal: signal ? AbortSignal.any([app.signal, signal]) : app.signal,
  };
  try {
    return await outputOf(app, start, handOver(env, argv), wish);
  } catch (error) {
    throw incusFailure(error, `running a command in ${name} failed`);
  }
}

function infoOf(container: Container): SessionInfo {
  const { name, status, session } = container;
  return {
    name,
    status,
    id: session?.session,
    workspace: workspaceOf(container),
    slot: session?.slot,
    tool: session?.tool,
    persistent: isKept(container),
    alias: aliasOf(container),
  };
}

/** As `coi shell --background` does. */
async function opened(app: AppContext, wanted: OpenOptions): Promise<ContainerRef> {
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

/** Joins the terminal of this process. Throws `no-terminal`, `session-not-found`. */
async function attachTo(app: AppContext, ref: ContainerRef): Promise<void> {
  const found = await runningContainer(app, {}, ref.name);
  if (!isMeant(ref, found.instance)) throw new NotMeant(ref.name, true);
  const { stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY) throw noTerminal('coi attach');
  const name = parseContainerName(found.name);
  const { session, instance } = found;
  const alert = alertNow(parseAlert(instance.config[keys.alert]), found.status);
  const message = alert && alertMessage(name, alert);
  if (message) app.report.info(message);
  const outer = outerPrefix(app);
  const opening = (prefix: string | undefined) => hintOfNesting(app, outer, prefix);
  // The terminal is the caller's: nothing is written beside the agent's screen.
  const terminal = { stdin, stdout, opening, showAlert: () => {} };
  try {
    const { end, problem } = await attachSession(
      app,
      { outerPrefix: outer },
      { ...found, name },
      terminal,
    );
    if (problem) app.report.warn(problem);
    // Detaching and `exit` leave it running; what else ends the terminal may have ended the session.
    if (end.kind !== 'lost' && !(end.kind === 'exited' && end.status !== 0)) return;
    const left = {
      container: name,
      reservation: session?.mounts.id,
      workspace: session?.workspace,
      store: session,
      alias: session?.alias,
    };
    const { outcome } = await endOfTerminal(app, left, end);
    if (isOver(outcome) && session)
      await reportHandoff(app, { workspace: session.workspace, container: name }, '[cleanup] ');
    if (session) noteEnd(app, session);
  } catch (error) {
    throw incusFailure(error, `attaching to ${name} failed`);
  }
}

/** What coi would say goes where the caller wants it. */
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
