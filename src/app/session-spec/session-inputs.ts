// Variables and extra mounts of a session, from its request and its configuration; determined once for each start.
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { pathFacts } from '../../host/fs/path-facts.ts';
import { guestHome } from '../../session/plan/environment.ts';
import { planMounts } from '../../session/plan/extra-mounts.ts';
import type { ExtraMount, PlannedMount } from '../../session/plan/session-spec.ts';
import type { SessionRecord } from '../../session/record/instance-record.ts';
import { findTool } from '../../tools/list.ts';
import type { AppContext } from '../context.ts';
import type { StartRequest } from '../requests.ts';
import { refuseHungPaths } from '../resolve-workspace.ts';
import type { MountedWorkspace } from '../workspace.ts';
import { agentEnvironment } from './agent-environment.ts';
import { earlierMounts } from './earlier-mounts.ts';
import { usedTargets } from './workspace-mount.ts';

export interface SessionInputs {
  /** May hold secrets. */
  readonly variables: Readonly<Record<string, string>>;
  /** In addition to the workspace and the git directory. */
  readonly mounts: readonly PlannedMount[];
}

export interface InputsContext {
  readonly at: MountedWorkspace;
  readonly resolved: ResolvedConfig;
  /** The container that is restarted or copied: its --mount directories apply if the request names none. */
  readonly earlier?: SessionRecord | undefined;
}

/** For a session with an agent, whose store is mounted, too. Throws `usage`, `mount-invalid`. */
export function sessionInputs(
  app: AppContext,
  request: StartRequest,
  of: InputsContext,
): SessionInputs {
  const { settings } = of.resolved;
  const { stateDirs } = findTool(settings['tool.name'], settings, app.env);
  return collectInputs(
    app,
    request,
    of,
    stateDirs.map((dir) => `${guestHome}/${dir}`),
  );
}

/** For a container without an agent. */
export function plainInputs(
  app: AppContext,
  request: StartRequest,
  of: InputsContext,
): SessionInputs {
  return collectInputs(app, request, of, []);
}

function collectInputs(
  app: AppContext,
  request: StartRequest,
  { at, resolved, earlier }: InputsContext,
  taken: readonly string[],
): SessionInputs {
  const variables = agentEnvironment(app, request, resolved, at.workspace);
  const before = earlier && request.mounts.length === 0 ? earlierMounts(app, earlier) : [];
  const mounts = extraMounts(request.mounts, before, resolved, {
    workspace: at.workspace,
    taken: [...usedTargets(at), ...taken],
  });
  return { variables, mounts };
}

/** Mounts of the configuration and the request. `taken`: paths in the container that are already in use. */
function extraMounts(
  named: readonly ExtraMount[],
  before: readonly ExtraMount[],
  { settings }: ResolvedConfig,
  { workspace, taken }: { readonly workspace: string; readonly taken: readonly string[] },
): PlannedMount[] {
  const configured = settings['mounts.default'];
  const sources = [...named, ...configured].map(({ host }) => host);
  refuseHungPaths(sources, 'mount-invalid');
  for (const { host } of named) {
    if (pathFacts(host).kind === 'missing') {
      throw new CoiError('mount-invalid', `the mount source ${host} does not exist`, {
        hint: 'Create it first, or leave the mount out.',
      });
    }
  }
  const isNew = ({ container }: ExtraMount) =>
    !configured.some((one) => one.container === container);
  const asked = [...named, ...before.filter(isNew)];
  const workspaces = [workspace, hostFiles.realPath(workspace) ?? workspace];
  const planned = planMounts([...configured, ...asked], taken, workspaces);
  return planned.map((mount, at) =>
    at < configured.length
      ? mount
      : { ...mount, asked: hostFiles.realPath(mount.source) ?? mount.source },
  );
}
