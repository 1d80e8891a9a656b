// What `shell` and `run` do before they part: options and configuration to a plan, and what the plan needs to run.
import { randomUUID } from 'node:crypto';
import type { App } from '../app.ts';
import { loadConfig, type ResolvedConfig } from '../config/load.ts';
import { oldFlagSettings } from '../config/old-flags.ts';
import { defaultRunDir, defaultStateDir, type NetworkMode } from '../daemon/protocol.ts';
import { CoiError } from '../errors.ts';
import { pathFacts } from '../host/facts.ts';
import { hostFiles, type Owner } from '../host/files.ts';
import type { TerminalRules } from '../host/terminal-filter.ts';
import { hostZone, knownZone } from '../host/zone.ts';
import { monitorKey } from '../monitor/settings.ts';
import {
  parseAlias,
  parseImageAlias,
  parseSlot,
  quoted,
  type SessionId,
  type Slot,
  sessionNameHash,
  type WorkspacePath,
} from '../names.ts';
import { parseMount, plannedMounts } from '../session/extramounts.ts';
import { incusFailure } from '../session/failure.ts';
import { kernelSurface } from '../session/kernel-surface.ts';
import { imageMissing } from '../session/launch.ts';
import { sessionLimits } from '../session/limits.ts';
import { mountRefusal } from '../session/mounts.ts';
import {
  type PlannedMount,
  type ServerFacts,
  type SessionWish,
  workspaceMount,
} from '../session/plan.ts';
import { protectRequest } from '../session/protect-request.ts';
import { sessionZone } from '../session/timezone.ts';
import { usableWorkspace, workspaceTarget } from '../session/workspace.ts';
import { answeringWorkspace, refuseHeld } from './answering.ts';
import type { GlobalOptions } from './command.ts';
import { sessionPolicy } from './network-policy.ts';
import { warnOfWritableTwins } from './second-view.ts';
import { hiddenPaths } from './secrets.ts';

export interface Place {
  readonly workspace: WorkspacePath;
  /** Without links. */
  readonly real: string;
  readonly target: string;
  /** Who owns the directory: root works for them. */
  readonly owner: Owner;
  /** Git's directory, where the workspace is a worktree of a repository elsewhere. */
  readonly git: PlannedMount | undefined;
}

/** A workspace that may be mounted; where it is mounted is configuration's to say. */
export type Workspace = Omit<Place, 'target' | 'git'>;

/** The workspace that the options name, checked. Throws `workspace-invalid`. */
export function place(app: App, wanted: string | undefined): Workspace {
  const workspace = answeringWorkspace(app, wanted);
  const facts = pathFacts(workspace);
  usableWorkspace(workspace, facts);
  // coid refuses by the same rule with every home of the host; asking here answers before anything is made.
  const refusal = workspaceRefusal(app, facts.real);
  if (refusal) {
    throw new CoiError('workspace-invalid', `${workspace} cannot be a workspace: it ${refusal}`, {
      hint: 'Use a project directory below it.',
    });
  }
  return { workspace, owner: facts.owner, real: facts.real };
}

/** Why a path without links cannot be a workspace; undefined if it can. */
export function workspaceRefusal(app: App, path: string): string | undefined {
  return mountRefusal(
    { path, readonly: false, uid: app.user.uid, session: '' },
    {
      homes: [app.user.home],
      runDir: app.env['COI_RUN_DIR'] ?? defaultRunDir,
      stateDir: app.env['COI_STATE_DIR'] ?? defaultStateDir,
    },
  );
}

/** One of coi's own directories, which is no repository. */
export function plainPlace(workspace: Workspace): Place {
  return { ...workspace, ...workspaceTarget(workspace.workspace, false), git: undefined };
}

export function config(
  app: App,
  options: Omit<GlobalOptions, 'profile'> & {
    tool?: string | undefined;
    profile?: string | undefined;
  },
  workspace: WorkspacePath,
): Promise<ResolvedConfig> {
  const { home } = app.user;
  return loadConfig(
    {
      home,
      workspace,
      cwd: app.cwd,
      env: app.env,
      profile: options.profile,
      flags: {
        ...oldFlagSettings(options.oldFlag ?? [], home),
        ...(options.image === undefined ? {} : { 'container.image': options.image }),
        ...(options.persistent === undefined ? {} : { 'container.persistent': options.persistent }),
        ...(options.tool === undefined ? {} : { 'tool.name': options.tool }),
        ...(options.network === undefined ? {} : { 'network.mode': networkMode(options.network) }),
      },
    },
    hostFiles,
  );
}

function networkMode(text: string): NetworkMode {
  if (text === 'restricted' || text === 'allowlist' || text === 'open') return text;
  throw new CoiError('usage', `invalid --network ${quoted(text)}`, {
    hint: 'Modes: restricted, allowlist, open.',
  });
}

/** What the plan needs from the server, in one round: fails early if Incus is away or the image missing. */
export async function serverFacts(
  app: App,
  image: string | undefined,
  storagePool: string | undefined,
): Promise<ServerFacts> {
  const incus = await app.incus();
  const { signal } = app;
  try {
    const [profile, alias] = await Promise.all([
      incus.profile('default', { signal }),
      image === undefined ? undefined : incus.imageAlias(image, { signal }),
    ]);
    if (image !== undefined && !alias) throw imageMissing(image);
    const hasRoot = Object.values(profile?.devices ?? {}).some(
      (device) => device['type'] === 'disk' && device['path'] === '/',
    );
    const pools =
      hasRoot && storagePool === undefined ? undefined : await incus.storagePools({ signal });
    return { defaultProfile: profile, pools };
  } catch (error) {
    throw incusFailure(error, 'asking Incus failed');
  }
}

/** The wish of a session from options and settings; the store's mounts come later, with the store. */
export function wish(
  app: App,
  resolved: ResolvedConfig,
  at: Place,
  more: {
    session: SessionId;
    tool: string;
    slot: Slot | undefined;
    persistent: boolean;
    mounts: readonly PlannedMount[];
    disposable: boolean;
    following: Following;
  },
): SessionWish {
  const mounts = [...(at.git ? [at.git] : []), ...more.mounts];
  warnOfWritableTwins(app, [workspaceMount(at), ...mounts]);
  const { settings, profile } = resolved;
  const { 'container.alias': alias, 'container.session_name': sessionName } = settings;
  return {
    session: more.session,
    owner: app.user.uid,
    workspace: at.workspace,
    ...(at.real === at.workspace ? {} : { realWorkspace: at.real }),
    target: at.target,
    ...(sessionName ? { hash: sessionNameHash(sessionName) } : {}),
    slot: more.slot,
    prefix: app.prefix,
    tool: more.tool,
    image: parseImageAlias(settings['container.image']),
    persistent: more.persistent,
    alias: alias ? parseAlias(alias) : undefined,
    profile,
    storagePool: settings['container.storage_pool'] || undefined,
    ...more.following,
    disposable: more.disposable,
    readyMs: settings['container.ready_timeout'] * 1000,
    mounts,
  };
}

/** What of the configuration also holds for a container that is started again. */
export type Following = Pick<
  SessionWish,
  | 'limits'
  | 'timezone'
  | 'monitor'
  | 'protect'
  | 'secrets'
  | 'network'
  | 'policy'
  | 'surface'
  | 'docker'
>;

export async function following(
  app: App,
  { settings }: ResolvedConfig,
  workspace: WorkspacePath,
): Promise<Following> {
  const { name, warning } = sessionZone(settings, hostZone(), knownZone);
  if (warning) app.io.warn(warning);
  const hidden = await hiddenPaths(app, settings, workspace);
  return {
    limits: sessionLimits(settings),
    timezone: name,
    monitor: monitorKey(settings),
    protect: protectRequest(settings, [...hidden.paths, ...hidden.names]),
    secrets: hidden.paths,
    docker: settings['container.docker'],
    surface: kernelSurface(settings),
    network: settings['network.mode'],
    policy: sessionPolicy(app, settings),
  };
}

/** The slot that was asked for; 0 means any. Throws `usage`. */
export function wantedSlot(options: GlobalOptions): Slot | undefined {
  return options.slot === undefined || options.slot === '0' ? undefined : parseSlot(options.slot);
}

/** Extra mounts of configuration and command line. `taken` are places in the container that are used already. */
export function extraMounts(
  app: App,
  options: GlobalOptions,
  { settings }: ResolvedConfig,
  { workspace, taken }: { readonly workspace: string; readonly taken: readonly string[] },
): PlannedMount[] {
  const named = options.mount.map((text) => parseMount(text, app.cwd, app.user.home));
  const sources = [...named, ...settings['mounts.default']].map(({ host }) => host);
  refuseHeld(sources, 'mount-invalid');
  for (const { host } of named) {
    if (pathFacts(host).kind === 'missing') {
      throw new CoiError('mount-invalid', `the mount source ${host} does not exist`, {
        hint: 'Create it first, or leave the mount out.',
      });
    }
  }
  const configured = settings['mounts.default'];
  const asked = [
    ...named,
    ...(options.mountsOfBefore ?? []).filter(
      ({ container }) => !configured.some((one) => one.container === container),
    ),
  ];
  const workspaces = [workspace, hostFiles.realPath(workspace) ?? workspace];
  const planned = plannedMounts([...configured, ...asked], taken, workspaces);
  return planned.map((mount, at) =>
    at < configured.length
      ? mount
      : { ...mount, asked: hostFiles.realPath(mount.source) ?? mount.source },
  );
}

/** What a session may do to the user's terminal. */
export function terminalRules(settings: ResolvedConfig['settings']): TerminalRules {
  return {
    clipboard: settings['shell.clipboard'],
    notifications: settings['shell.notifications'],
    links: settings['shell.links'],
    title: settings['shell.title'],
  };
}

export function newSessionId(): SessionId {
  return randomUUID() as SessionId;
}
