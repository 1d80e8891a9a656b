// A session goes on twice: its disk and its conversation are copied while it is paused.
import type { PolicyRecord } from '../../coid-api/network-protocol.ts';
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { removeTreeAt } from '../../host/fs/remove-tree.ts';
import { keys } from '../../instance-keys.ts';
import {
  type ContainerName,
  newSessionId,
  type SessionId,
  type Slot,
  tmuxSession,
} from '../../names.ts';
import { storedPolicy } from '../../network/policy.ts';
import { forkedInstance } from '../../session/lifecycle/fork.ts';
import {
  type LaunchContext,
  launching,
  launchSteps,
  reserved,
} from '../../session/lifecycle/launch.ts';
import { runSteps, type Step } from '../../session/lifecycle/steps.ts';
import type { Container, SessionRecord } from '../../session/record/instance-record.ts';
import { guarded, storePath } from '../../session/store/store.ts';
import { tool as findTool } from '../../tools/list.ts';
import { reserveOrStart } from '../coid-autostart.ts';
import { config } from '../configuration.ts';
import type { AppContext } from '../context.ts';
import type { StartRequest } from '../requests.ts';
import { agentAndGit } from '../session-spec/git-identity.ts';
import { sessionInputs } from '../session-spec/session-inputs.ts';
import { following, wish } from '../session-spec/session-wish.ts';
import { placeAt } from '../session-spec/workspace-mount.ts';
import { copyInto, storeParts } from '../snapshots/store-copy.ts';
import { whileFrozen } from '../snapshots/while-frozen.ts';
import { openInBackground } from '../terminal/open-tool.ts';
import { agentVariables, followAgent } from '../terminal/ssh-agent-forwarding.ts';
import { startedLook } from '../terminal/tmux-appearance.ts';
import { place } from '../workspace.ts';
import type { AgentSetting } from './agent-process.ts';
import { agentOf } from './session-agent.ts';
import { orUndone, takenBack, undoWatch } from './undo-start.ts';

export interface ForkRequest extends StartRequest {
  /** It is opened on a terminal, right afterwards. */
  readonly attaches: boolean;
}

export interface ForkedSession {
  readonly container: ContainerName;
  readonly slot: Slot;
  readonly session: SessionId;
  readonly workspace: string;
  readonly tmuxName: string;
}

/**
 * The copy runs in the background. `loaded`: the configuration, before anything is made. `made`: its container's name,
 * before the agent is opened. Throws; nothing is left then.
 */
export async function forkSession(
  app: AppContext,
  request: ForkRequest,
  source: Container,
  tell: {
    readonly loaded: (resolved: ResolvedConfig) => void;
    readonly made: (container: string) => void;
  },
): Promise<ForkedSession> {
  const { session: record } = source;
  if (!record)
    throw new CoiError('session-not-found', `${source.name} is no session of coi`, {
      hint: '`coi list` shows the sessions.',
    });
  const { container, slot, ref, session, forwarding, takeBack, ...opening } = await forked(
    app,
    request,
    source,
    record,
    tell.loaded,
  );
  tell.made(container);
  const tmuxName = tmuxSession(container);
  const { target: workspace } = record;
  const inTmux = { ...opening, container, session: tmuxName, workspace, tmux: true };
  await orUndone(app, { container, takeBack }, openInBackground(app, inTmux));
  const problem = forwarding.kind === 'forward' && (await followAgent(app, ref, forwarding));
  if (problem) app.report.warn(problem);
  return { container, slot, session, workspace: record.workspace, tmuxName };
}

async function forked(
  app: AppContext,
  request: ForkRequest,
  source: Container,
  record: SessionRecord,
  loaded: (resolved: ResolvedConfig) => void,
) {
  const workspace = place(app, record.workspace);
  const asked = { ...request, profile: request.profile ?? record.profile, tool: record.tool };
  const resolved = await config(app, asked, workspace.workspace);
  loaded(resolved);
  const at = placeAt(app, workspace, record.target, resolved.settings);
  const inputs = sessionInputs(app, request, { at, resolved, earlier: record });
  const { forwarding, git } = await agentAndGit(app, resolved, at.workspace);
  const id = newSessionId();
  const { persistent } = record;
  const tool = findTool(record.tool, resolved.settings, app.env);
  const made = wish(app, resolved, at, {
    session: id,
    tool: record.tool,
    slot: request.slot,
    persistent,
    mounts: inputs.mounts,
    disposable: false,
    following: await following(app, resolved, at.workspace),
  });
  let agent: AgentSetting | undefined;
  const incus = await app.incus();
  const [defaultProfile, pools] = await Promise.all([
    incus.profile('default', { signal: app.signal }),
    incus.storagePools({ signal: app.signal }),
  ]);
  const context: LaunchContext = {
    wish: { ...made, network: record.network, policy: policyOf(source) ?? made.policy },
    server: { defaultProfile, pools },
    incus,
    coid: await reserveOrStart(app),
    makeStore: () => {
      copyStore(app, record, id, tool.sessionsDir);
      const copyOf = record.session;
      const known = { session: id, resumed: true, isNew: true, copyOf };
      const mode = request.attaches ? 'terminal' : 'background';
      agent = agentOf(app, { mode }, { at, resolved, persistent, git }, inputs, known);
      return agent.makeStore();
    },
    fillStore: () => agent?.fillStore(),
    discardStore: () => removeTreeAt(storePath(app.user.home, tool.sessionsDir, id)),
    recordSession: (reservation) => agent?.recordSession(reservation),
    plan: undefined,
    reservation: undefined,
  };
  const progress = app.progress();
  app.mark('decided');
  const undo = undoWatch();
  const copied = whileFrozen(app, source, () =>
    launching(() =>
      runSteps(forkSteps(source), context, {
        tell: (event) => {
          undo.tell(event);
          progress.tell(event);
        },
        elapsedMs: app.clock.elapsedMs,
        signal: app.signal,
      }),
    ),
  );
  try {
    await copied;
  } catch (error) {
    throw undo.told(error);
  } finally {
    progress.clear();
  }

  const environment = { ...inputs.variables, ...agent?.environment, ...agentVariables(forwarding) };
  const { container, slot, id: mountsId } = reserved(context);
  const ref = { name: container, mountsId };
  const { command = [], again } = agent ?? {};
  const look = startedLook(resolved.settings, { ...record, container, slot, again });
  const takeBack = () => takenBack(incus, ref, context.discardStore);
  return {
    container,
    ref,
    slot,
    session: id,
    environment,
    forwarding,
    command,
    again,
    look,
    takeBack,
  };
}

/** The steps of a launch, but the create call copies. */
function forkSteps(source: Container): Step<LaunchContext>[] {
  return launchSteps.map((step) => {
    if (step.name !== 'store') return step;
    const run: Step<LaunchContext>['run'] = async (context, signal) => {
      await step.run(context, signal);
      const { plan } = context;
      if (!plan) return;
      const instance: typeof plan.instance = (reservation) =>
        forkedInstance(plan.instance(reservation), source.instance);
      context.plan = { ...plan, instance };
    };
    return { ...step, run };
  });
}

/** Into a store of its own, at the places where the original has its parts. */
function copyStore(
  app: AppContext,
  record: SessionRecord,
  id: SessionId,
  sessionsDir: string,
): void {
  const { uid, gid, home } = app.user;
  const owner = { uid, gid };
  guarded(hostFiles, () => {
    using top = hostFiles.open(`${home}/.coi/${sessionsDir}`);
    using store = top?.makeDirectory(id, { owner });
    for (const { source } of storeParts(app, record)) {
      const inner = source.split(`/${record.session}/`)[1];
      if (!store || inner === undefined) continue;
      using part = store.makeDirectory(inner, { owner });
      copyInto(app, source, part);
    }
  });
}

/** What the original may reach, exactly. */
function policyOf({ instance }: Container): PolicyRecord | undefined {
  const text = instance.config[keys.policy];
  return text === undefined ? undefined : storedPolicy(text);
}
