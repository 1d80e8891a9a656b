// What a session gets of its request and its configuration: variables and extra mounts. Each is made out once for a start.
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { pathFacts } from '../../host/fs/path-facts.ts';
import { guestHome } from '../../session/plan/environment.ts';
import { plannedMounts } from '../../session/plan/extra-mounts.ts';
import type { ExtraMount, PlannedMount } from '../../session/plan/session-wish.ts';
import type { SessionRecord } from '../../session/record/instance-record.ts';
import { tool as findTool } from '../../tools/list.ts';
import { refuseHeld } from '../answering-workspace.ts';
import type { AppContext } from '../context.ts';
import type { StartRequest } from '../requests.ts';
import type { Place } from '../workspace.ts';
import { agentEnvironment } from './agent-environment.ts';
import { earlierMounts } from './earlier-mounts.ts';
import { takenBy } from './workspace-mount.ts';

export interface SessionInputs {
  /** May hold secrets. */
  readonly variables: Readonly<Record<string, string>>;
  /** Beside the workspace and git's directory. */
  readonly mounts: readonly PlannedMount[];
}

export interface InputsOf {
  readonly at: Place;
  readonly resolved: ResolvedConfig;
  /** The container that is started again, or copied: its --mount holds where the request names none. */
  readonly earlier?: SessionRecord | undefined;
}

/** Of a session with an agent, whose store has places in the container, too. Throws `usage`, `mount-invalid`. */
export function sessionInputs(app: AppContext, request: StartRequest, of: InputsOf): SessionInputs {
  const { settings } = of.resolved;
  const { stateDirs } = findTool(settings['tool.name'], settings, app.env);
  return inputs(
    app,
    request,
    of,
    stateDirs.map((dir) => `${guestHome}/${dir}`),
  );
}

/** Of a machine without an agent. */
export function plainInputs(app: AppContext, request: StartRequest, of: InputsOf): SessionInputs {
  return inputs(app, request, of, []);
}

function inputs(
  app: AppContext,
  request: StartRequest,
  { at, resolved, earlier }: InputsOf,
  taken: readonly string[],
): SessionInputs {
  const variables = agentEnvironment(app, request, resolved, at.workspace);
  const before = earlier && request.mounts.length === 0 ? earlierMounts(app, earlier) : [];
  const mounts = extraMounts(request.mounts, before, resolved, {
    workspace: at.workspace,
    taken: [...takenBy(at), ...taken],
  });
  return { variables, mounts };
}

/** Those of the configuration and of the request. `taken` are places in the container that are used already. */
function extraMounts(
  named: readonly ExtraMount[],
  before: readonly ExtraMount[],
  { settings }: ResolvedConfig,
  { workspace, taken }: { readonly workspace: string; readonly taken: readonly string[] },
): PlannedMount[] {
  const configured = settings['mounts.default'];
  const sources = [...named, ...configured].map(({ host }) => host);
  refuseHeld(sources, 'mount-invalid');
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
  const planned = plannedMounts([...configured, ...asked], taken, workspaces);
  return planned.map((mount, at) =>
    at < configured.length
      ? mount
      : { ...mount, asked: hostFiles.realPath(mount.source) ?? mount.source },
  );
}
