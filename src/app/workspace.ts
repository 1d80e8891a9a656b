// The workspace that a use case was asked for: checked, before anything is made in it.
import { defaultRunDir, defaultStateDir } from '../coid-api/protocol.ts';
import { CoiError } from '../errors.ts';
import type { Owner } from '../host/fs/host-files.ts';
import { pathFacts } from '../host/fs/path-facts.ts';
import type { WorkspacePath } from '../names.ts';
import { mountRefusal } from '../session/plan/mount-rules.ts';
import type { PlannedMount } from '../session/plan/session-wish.ts';
import { usableWorkspace, workspaceTarget } from '../session/plan/workspace.ts';
import { answeringWorkspace } from './answering-workspace.ts';
import type { AppContext } from './context.ts';

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
export function place(app: AppContext, wanted: string | undefined): Workspace {
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

/** One of coi's own directories, which is no repository. */
export function plainPlace(workspace: Workspace): Place {
  return { ...workspace, ...workspaceTarget(workspace.workspace, false), git: undefined };
}
