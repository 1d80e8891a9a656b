// The workspace of a request, checked before anything is created in it.
import { defaultRunDir, defaultStateDir } from '../coid-api/protocol.ts';
import { CoiError } from '../errors.ts';
import type { Owner } from '../host/fs/host-files.ts';
import { pathFacts } from '../host/fs/path-facts.ts';
import type { WorkspacePath } from '../names.ts';
import { mountRefusal } from '../session/plan/mount-rules.ts';
import type { PlannedMount } from '../session/plan/session-spec.ts';
import { assertUsableWorkspace, workspaceTarget } from '../session/plan/workspace.ts';
import type { AppContext } from './context.ts';
import { resolveWorkspace } from './resolve-workspace.ts';

export interface MountedWorkspace {
  readonly workspace: WorkspacePath;
  /** With links resolved. */
  readonly real: string;
  readonly target: string;
  /** Owner of the directory, for whom root works. */
  readonly owner: Owner;
  /** The git directory, if the workspace is a worktree of a repository elsewhere. */
  readonly git: PlannedMount | undefined;
}

/** A workspace that may be mounted; the configuration says where. */
export type Workspace = Omit<MountedWorkspace, 'target' | 'git'>;

/** The workspace of a request, checked. Throws `workspace-invalid`. */
export function checkWorkspace(app: AppContext, wanted: string | undefined): Workspace {
  const workspace = resolveWorkspace(app, wanted);
  const facts = pathFacts(workspace);
  assertUsableWorkspace(workspace, facts);
  // coid applies the same rule to all home directories; checking here fails before anything is created.
  const refusal = workspaceRefusal(app, facts.real);
  if (refusal) {
    throw new CoiError('workspace-invalid', `${workspace} cannot be a workspace: it ${refusal}`, {
      hint: 'Use a project directory below it.',
    });
  }
  return { workspace, owner: facts.owner, real: facts.real };
}

/** Why a real path cannot be a workspace; undefined if it can. */
export function workspaceRefusal(app: AppContext, path: string): string | undefined {
  return mountRefusal(
    { path, readonly: false, uid: app.user.uid, session: '' },
    {
      homes: [app.user.home],
      runDir: app.env['COI_RUN_DIR'] ?? defaultRunDir,
      stateDir: app.env['COI_STATE_DIR'] ?? defaultStateDir,
    },
  );
}

/** A temporary directory of coi, which is not a repository. */
export function scratchWorkspace(workspace: Workspace): MountedWorkspace {
  return { ...workspace, ...workspaceTarget(workspace.workspace, false), git: undefined };
}
