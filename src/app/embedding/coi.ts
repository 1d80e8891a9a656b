// The sessions of a user as objects: the library (index.ts) and the MCP server (cli/commands/attention/mcp.ts) work with them.

import { CoiError } from '../../errors.ts';
import { agentIds } from '../../guest-user.ts';
import type {
  Coi,
  OpenOptions,
  RunOptions,
  RunResult,
  Session,
  SessionInfo,
} from '../../library-types.ts';
import { parseSessionId, parseSlot } from '../../names.ts';
import { killContainer, shutDownContainer } from '../../session/lifecycle/end-container.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import type { StartExec } from '../../session/lifecycle/secret-handover.ts';
import { handoverText, parseVariable } from '../../session/plan/environment.ts';
import { parseMount } from '../../session/plan/extra-mounts.ts';
import { type ContainerRef, StaleContainerRef } from '../../session/record/change-instance.ts';
import { matchesRef, refOf } from '../../session/record/container-ref.ts';
import {
  aliasOf,
  type Container,
  isPersistent,
  workspaceOf,
} from '../../session/record/instance-record.ts';
import { containerActivity } from '../attention/container-activity.ts';
import {
  answerQuestion,
  currentActivity,
  screenOf,
  sendText,
  waitForSession,
} from '../attention/of-session.ts';
import type { AppContext } from '../context.ts';
import { freeWithCoid } from '../end-sessions/free-stuck.ts';
import { noteEnd } from '../end-sessions/note-end.ts';
import type { ClosableContext } from '../make-context.ts';
import { openDetached, startSelected } from '../open-session/open-session.ts';
import { reportStart } from '../open-session/report-start.ts';
import { selectSession } from '../open-session/select-session.ts';
import type { OpenSessionRequest } from '../requests.ts';
import { execRequest } from '../run-command/command-in-container.ts';
import { outputBytesDefault, outputBytesLimit } from '../run-command/limited-output.ts';
import { type CaptureOptions, captureStreams } from '../run-command/streams.ts';
import { existingContainer, runningContainer } from '../targets/container-by-name.ts';
import { ownContainers } from '../targets/user-containers.ts';

const shutdownMs = 60_000;

/** `attach`: attaches the terminal of this process. */
export function makeCoi(app: ClosableContext, attach: (ref: ContainerRef) => Promise<void>): Coi {
  const sessionOf = (container: Container, endOnDispose: boolean) =>
    makeSession(app, container, endOnDispose, attach);
  return {
    version: app.version,
    open: async (wanted = {}) => {
      const { name, mountsId } = await openSession(app, wanted);
      const made = await existingContainer(app, {}, name);
      if (made.session?.mounts.id !== mountsId) throw new StaleContainerRef(name, true);
      return sessionOf(made, made.session?.persistent !== true);
    },
    list: async () =>
      (await ownContainers(app, {})).map((container) => sessionInfo(app, container)),
    session: async (name) => sessionOf(await existingContainer(app, {}, name), false),
    close: () => app.close(),
    [Symbol.asyncDispose]: () => app.close(),
  };
}

function makeSession(
  app: AppContext,
  container: Container,
  endOnDispose: boolean,
  attach: (ref: ContainerRef) => Promise<void>,
): Session {
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
    info: sessionInfo(app, container),
    run: (argv, options = {}) => runIn(app, ref, argv, options),
    status: async () => currentActivity(app, ref),
    wait: (options = {}) => waitForSession(app, ref, options),
    send: (text, options = {}) => sendText(app, ref, text, options),
    answer: (ask, choice) => answerQuestion(app, ref, ask, choice),
    screen: () => screenOf(app, ref),
    attach: () => attach(ref),
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

function sessionInfo(app: AppContext, container: Container): SessionInfo {
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
    activity: containerActivity(app, container),
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
