// Forks a session: copies its disk and its conversation while it is paused.
import { randomUUID } from 'node:crypto';
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
import { parsePolicyRecord } from '../../network/policy.ts';
import { forkInstance } from '../../session/lifecycle/fork.ts';
import {
  type LaunchContext,
  launchSteps,
  reservationOf,
  retryLaunch,
} from '../../session/lifecycle/launch.ts';
import { runSteps, type Step } from '../../session/lifecycle/steps.ts';
import type { Container, SessionRecord } from '../../session/record/instance-record.ts';
import { storePath, withStoreErrors } from '../../session/store/store.ts';
import { findTool } from '../../tools/list.ts';
import { autostartingCoid } from '../coid-autostart.ts';
import { loadRequestConfig } from '../configuration.ts';
import type { AppContext } from '../context.ts';
import type { StartRequest } from '../requests.ts';
import { sshAgentAndGit } from '../session-spec/git-identity.ts';
import { makeSessionSpec, restartSettings } from '../session-spec/make-session-spec.ts';
import { sessionInputs } from '../session-spec/session-inputs.ts';
import { mountWorkspaceAt } from '../session-spec/workspace-mount.ts';
import { copyInto, storeParts } from '../snapshots/store-copy.ts';
import { whileFrozen } from '../snapshots/while-frozen.ts';
import { openInBackground } from '../terminal/open-agent.ts';
import { sshAgentVariables, syncSshAgent } from '../terminal/ssh-agent-forwarding.ts';
import { startAppearance } from '../terminal/tmux-appearance.ts';
import { forkTree, removeForkedTree } from '../trees/fork-tree.ts';
import { withTreeAlias } from '../trees/tree-alias.ts';
import { type OwnTree, readTreeOf } from '../trees/tree-store.ts';
import { checkWorkspace } from '../workspace.ts';
import type { AgentProcess } from './agent-process.ts';
import { planSessionAgent } from './session-agent.ts';
import { removeNewSession, undoIfInterrupted, undoWatch } from './undo-start.ts';

export interface ForkRequest extends StartRequest {
  /** A terminal is attached right afterwards. */
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
 * The fork runs in the background. `loaded`: called with the configuration, before anything is created. `made`: called
 * with the container's name, before the agent starts. Throws without leaving anything behind.
 */
export async function forkSession(
  app: AppContext,
  request: ForkRequest,
  source: Container,
  on: {
    readonly loaded: (resolved: ResolvedConfig) => void;
    readonly made: (container: string) => void;
  },
): Promise<ForkedSession> {
  const { session: record } = source;
  if (!record)
    throw new CoiError('session-not-found', `${source.name} is not a session of coi`, {
      hint: 'Run `coi list` to see your sessions.',
    });
  const tree = readTreeOf(app.user.home, record.workspace);
  const forked = tree && (await forkTree(app, tree));
  const { container, slot, ref, session, forwarding, undoStart, ...agentProcess } =
    await createFork(app, request, { source, record, forked, loaded: on.loaded }).catch(
      async (error: unknown) => {
        if (forked) await removeForkedTree(forked);
        throw error;
      },
    );
  on.made(container);
  const tmuxName = tmuxSession(container);
  const { target: workspace } = record;
  const inTmux = { ...agentProcess, container, session: tmuxName, workspace, tmux: true };
  await undoIfInterrupted(app, { container, undoStart }, openInBackground(app, inTmux));
  const problem = forwarding.kind === 'forward' && (await syncSshAgent(app, ref, forwarding));
  if (problem) app.report.warn(problem);
  const workspaceOfFork = forked?.places.tree ?? record.workspace;
  return { container, slot, session, workspace: workspaceOfFork, tmuxName };
}

async function createFork(
  app: AppContext,
  request: ForkRequest,
  {
    source,
    record,
    forked,
    loaded,
  }: {
    readonly source: Container;
    readonly record: SessionRecord;
    /** The tree of the fork, if the original has one of its own. */
    readonly forked: OwnTree | undefined;
    readonly loaded: (resolved: ResolvedConfig) => void;
  },
) {
  const workspace = checkWorkspace(app, forked?.places.tree ?? record.workspace);
  const configRequest = {
    ...request,
    profile: request.profile ?? record.profile,
    tool: record.tool,
  };
  const configured = await loadRequestConfig(app, configRequest, workspace.workspace);
  const resolved = forked ? withTreeAlias(app, configured, forked) : configured;
  loaded(resolved);
  const at = mountWorkspaceAt(app, workspace, record.target, resolved.settings);
  const inputs = sessionInputs(app, request, { at, resolved, earlier: record });
  const { forwarding, git } = await sshAgentAndGit(app, resolved, at.workspace);
  const id = newSessionId();
  const { persistent } = record;
  const tool = findTool(record.tool, resolved.settings, app.env);
  const made = makeSessionSpec(app, resolved, at, {
    session: id,
    tool: record.tool,
    slot: request.slot,
    persistent,
    mounts: inputs.mounts,
    disposable: false,
    restartSettings: await restartSettings(app, resolved, at.workspace),
  });
  let agent: AgentProcess | undefined;
  const incus = await app.incus();
  const [defaultProfile, pools] = await Promise.all([
    incus.profile('default', { signal: app.signal }),
    incus.storagePools({ signal: app.signal }),
  ]);
  const context: LaunchContext = {
    spec: { ...made, network: record.network, policy: recordedPolicy(source) ?? made.policy },
    server: { defaultProfile, pools },
    incus,
    coid: await autostartingCoid(app),
    createStore: () => {
      copyStore(app, record, id, tool.sessionsDir);
      const copyOf = record.session;
      const known = { session: id, resumed: true, isNew: true, copyOf };
      const mode = request.attaches ? 'terminal' : 'background';
      agent = planSessionAgent(app, { mode }, { at, resolved, persistent, git }, inputs, known);
      return agent.createStore();
    },
    fillStore: () => agent?.fillStore(),
    discardStore: () => removeTreeAt(storePath(app.user.home, tool.sessionsDir, id)),
    recordSession: (reservation) => agent?.recordSession(reservation),
    plan: undefined,
    reservation: undefined,
    startId: randomUUID(),
  };
  const progress = app.progress();
  app.mark('decided');
  const undo = undoWatch();
  const copied = whileFrozen(app, source, () =>
    retryLaunch(() =>
      runSteps(forkSteps(source), context, {
        report: (event) => {
          undo.update(event);
          progress.update(event);
        },
        elapsedMs: app.clock.elapsedMs,
        signal: app.signal,
      }),
    ),
  );
  try {
    await copied;
  } catch (error) {
    throw undo.explain(error);
  } finally {
    progress.clear();
  }

  const environment = {
    ...inputs.variables,
    ...agent?.environment,
    ...sshAgentVariables(forwarding),
  };
  const { container, slot, id: mountsId } = reservationOf(context);
  const ref = { name: container, mountsId };
  const { command = [], again } = agent ?? {};
  const appearance = startAppearance(resolved.settings, { ...record, container, slot, again });
  const undoStart = () => removeNewSession(incus, ref, context.discardStore);
  return {
    container,
    ref,
    slot,
    session: id,
    environment,
    forwarding,
    command,
    again,
    appearance,
    undoStart,
  };
}

/** The steps of a launch, except that the container is created as a copy. */
function forkSteps(source: Container): Step<LaunchContext>[] {
  return launchSteps.map((step) => {
    if (step.name !== 'store') return step;
    const run: Step<LaunchContext>['run'] = async (context, signal) => {
      await step.run(context, signal);
      const { plan } = context;
      if (!plan) return;
      const instance: typeof plan.instance = (reservation) =>
        forkInstance(plan.instance(reservation), source.instance);
      context.plan = { ...plan, instance };
    };
    return { ...step, run };
  });
}

/** Copies the parts of a store into a new one, under the same relative paths. */
function copyStore(
  app: AppContext,
  record: SessionRecord,
  id: SessionId,
  sessionsDir: string,
): void {
  const { uid, gid, home } = app.user;
  const owner = { uid, gid };
  withStoreErrors(hostFiles, () => {
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

/** The exact policy of the original. */
function recordedPolicy({ instance }: Container): PolicyRecord | undefined {
  const text = instance.config[keys.policy];
  return text === undefined ? undefined : parsePolicyRecord(text);
}
