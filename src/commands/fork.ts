// coi fork: a session goes on twice. The disk and the conversation are copied while the original is paused.
import type { Command } from 'commander';
import type { App } from '../app.ts';
import type { PolicyRecord } from '../daemon/protocol.ts';
import { CoiError } from '../errors.ts';
import { hostFiles } from '../host/files.ts';
import { removeTreeAt } from '../host/remove.ts';
import { type SessionId, tmuxSession } from '../names.ts';
import { guestHome } from '../session/environment.ts';
import { forkedInstance } from '../session/fork.ts';
import { type LaunchContext, launching, launchSteps, reserved } from '../session/launch.ts';
import type { Container, SessionRecord } from '../session/record.ts';
import { runSteps, type Step } from '../session/steps.ts';
import { guarded, storePath } from '../session/store.ts';
import { tool as findTool } from '../tools/list.ts';
import { stepProgress } from '../ui/progress.ts';
import { stepTiming } from '../ui/timing.ts';
import { agentVariables, followAgent } from './agent.ts';
import { withMountsOfBefore } from './asked-before.ts';
import { type AttachOptions, attach } from './attach.ts';
import { reserveOrStart } from './coid.ts';
import { whileFrozen } from './frozen.ts';
import { agentAndGit } from './git-inside.ts';
import { flagsOf } from './global.ts';
import { startedLook } from './look.ts';
import { oneContainer } from './one-container.ts';
import { openInBackground, tellBackground } from './open.ts';
import { placeAt, takenBy } from './place-in.ts';
import {
  config,
  extraMounts,
  following,
  newSessionId,
  place,
  wantedSlot,
  wish,
} from './prepare.ts';
import { agentOf } from './session-agent.ts';
import { copyInto, storeParts } from './store-copy.ts';
import { tellWarnings } from './tell-warnings.ts';
import type { AgentSetting } from './tool.ts';
import { orUndone, takenBack, undoWatch } from './undone.ts';
import { agentEnvironment } from './variables.ts';

interface Options extends AttachOptions {
  background?: boolean;
  json?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .argument('[name]', "container or alias (default: the workspace's only one)")
    .option('--background', 'do not attach to it (without a terminal nothing else is possible)')
    .option('--json', 'print the new session as JSON; do not attach to it')
    .addHelpText(
      'after',
      '\nThe copy has its own slot, address and conversation; both share the workspace. Processes are not copied: the\nagent is started again and goes on with the conversation.',
    )
    .action((name: string | undefined) => fork(app, flagsOf<Options>(command), name));
}

async function fork(app: App, options: Options, word: string | undefined): Promise<void> {
  const source = await oneContainer(app, options, word);
  const { session: record } = source;
  if (!record)
    throw new CoiError('session-not-found', `${source.name} is no session of coi`, {
      hint: '`coi list` shows the sessions.',
    });
  const given = await forked(app, options, source, record);
  const { container, slot, id } = given;
  app.io.tell(`Forked ${source.name} to ${container}`);
  const session = tmuxSession(container);
  const opening = { ...given, session, workspace: record.target, tmux: true };
  await orUndone(app, given, openInBackground(app, opening));
  const problem =
    given.forwarding.kind === 'forward' && (await followAgent(app, given.ref, given.forwarding));
  if (problem) app.io.warn(problem);
  if (options.json)
    app.io.printJson({
      container,
      slot,
      session_id: id,
      tmux_session: session,
      workspace: record.workspace,
      forked_from: source.name,
    });
  else if (!options.background && app.io.interactive) await attach(app, options, container);
  else if (!options.background && !app.io.interactive)
    app.io.tell(
      `There is no terminal here, so it runs in the background. Attach: coi attach ${container}`,
    );
  else tellBackground(app, container);
}

async function forked(app: App, wanted: Options, source: Container, record: SessionRecord) {
  const options = withMountsOfBefore(app, wanted, record);
  const workspace = place(app, record.workspace);
  const asked = { ...options, profile: options.profile ?? record.profile, tool: record.tool };
  const resolved = await config(app, asked, workspace.workspace);
  tellWarnings(app, resolved);
  const at = placeAt(app, workspace, record.target, resolved.settings);
  const given = agentEnvironment(app, options, resolved, at.workspace);
  const { forwarding, git } = await agentAndGit(app, resolved, at.workspace);
  const id = newSessionId();
  const { persistent } = record;
  const tool = findTool(record.tool, resolved.settings, app.env);
  const targets = tool.stateDirs.map((dir) => `${guestHome}/${dir}`);
  const made = wish(app, resolved, at, {
    session: id,
    tool: record.tool,
    slot: wantedSlot(options),
    persistent,
    mounts: extraMounts(app, options, resolved, {
      workspace: at.workspace,
      taken: [...takenBy(at), ...targets],
    }),
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
      const copyOf = record.session as SessionId;
      const known = { session: id, resumed: true, isNew: true, copyOf, given };
      agent = agentOf(app, options, { at, resolved, persistent, git }, known);
      return agent.makeStore();
    },
    fillStore: () => agent?.fillStore(),
    discardStore: () => removeTreeAt(storePath(app.user.home, tool.sessionsDir, id)),
    recordSession: (reservation) => agent?.recordSession(reservation),
    plan: undefined,
    reservation: undefined,
  };
  const progress = stepProgress(app.io);
  const undo = undoWatch();
  const timing = stepTiming(app.env, app.io.stderr, app.clock.elapsedMs);
  timing.mark('decided');
  const copied = whileFrozen(app, source, () =>
    launching(() =>
      runSteps(forkSteps(source), context, {
        tell: (event) => {
          progress.tell(event);
          timing.tell(event);
          undo.tell(event);
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
  timing.report();
  const environment = { ...given, ...agent?.environment, ...agentVariables(forwarding) };
  const { container, slot, id: mountsId } = reserved(context);
  const ref = { name: container, mountsId };
  const { command = [], again } = agent ?? {};
  const look = startedLook(resolved.settings, { ...record, container, slot, again });
  const takeBack = () => takenBack(incus, ref, context.discardStore);
  return { container, ref, slot, id, environment, forwarding, command, again, look, takeBack };
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
function copyStore(app: App, record: SessionRecord, id: SessionId, sessionsDir: string): void {
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
  const text = instance.config['user.coi.policy'];
  return text ? (JSON.parse(text) as PolicyRecord) : undefined;
}
