// The spec of a session, from its configuration and its workspace.
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { hostZone, isKnownZone } from '../../host/linux/time-zone.ts';
import type { TerminalRules } from '../../host/terminal/terminal-filter.ts';
import { monitorKey } from '../../monitor/settings.ts';
import {
  parseAlias,
  parseImageAlias,
  type SessionId,
  type Slot,
  sessionNameHash,
  type WorkspacePath,
} from '../../names.ts';
import { kernelSurface } from '../../session/plan/kernel-surface.ts';
import { sessionLimits } from '../../session/plan/limits.ts';
import { workspaceMount } from '../../session/plan/plan.ts';
import type { PlannedMount, SessionSpec } from '../../session/plan/session-spec.ts';
import { sessionZone } from '../../session/plan/timezone.ts';
import { protectRequest } from '../../session/protect/protect-request.ts';
import type { AppContext } from '../context.ts';
import type { MountedWorkspace } from '../workspace.ts';
import { sessionPolicy } from './network-policy.ts';
import { warnOfWritableTwins } from './overlapping-mounts.ts';
import { hiddenPaths } from './secret-paths.ts';

/** The spec of a session from options and settings; the store's mounts are added later, with the store. */
export function makeSessionSpec(
  app: AppContext,
  resolved: ResolvedConfig,
  at: MountedWorkspace,
  more: {
    session: SessionId;
    tool: string;
    slot: Slot | undefined;
    persistent: boolean;
    mounts: readonly PlannedMount[];
    disposable: boolean;
    restartSettings: RestartSettings;
  },
): SessionSpec {
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
    ...more.restartSettings,
    disposable: more.disposable,
    readyMs: settings['container.ready_timeout'] * 1000,
    mounts,
  };
}

/** Settings that also apply to a container that is restarted. */
export type RestartSettings = Pick<
  SessionSpec,
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

export async function restartSettings(
  app: AppContext,
  { settings }: ResolvedConfig,
  workspace: WorkspacePath,
): Promise<RestartSettings> {
  const { name, warning } = sessionZone(settings, hostZone(), isKnownZone);
  if (warning) app.report.warn(warning);
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

/** What a session may do to the user's terminal. */
export function terminalRules(settings: ResolvedConfig['settings']): TerminalRules {
  return {
    clipboard: settings['shell.clipboard'],
    notifications: settings['shell.notifications'],
    links: settings['shell.links'],
    title: settings['shell.title'],
  };
}
