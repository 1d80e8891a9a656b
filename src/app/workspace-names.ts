// The workspace of the command line, by both of its names.
import { hostFiles } from '../host/fs/host-files.ts';
import { absoluteWorkspace, type WorkspaceHash, workspaceHash } from '../names.ts';
import { isSameWorkspace, type WorkspaceNames } from '../session/plan/workspace.ts';
import type { Container } from '../session/record/instance-record.ts';
import type { StoredWorkspace } from '../session/store/saved-sessions.ts';
import { answeringWorkspace } from './answering-workspace.ts';
import type { AppContext } from './context.ts';
import type { SessionTarget } from './requests.ts';

export interface Here extends StoredWorkspace {
  /** Of containers that are named after it: those that were begun by this name first. */
  readonly hashes: readonly WorkspaceHash[];
}

/** The names of the workspace that the options mean; it need not exist any more. */
export function here(app: AppContext, target: Pick<SessionTarget, 'workspace'>): Here {
  const path = answeringWorkspace(app, target.workspace);
  const real = hostFiles.realPath(path);
  return named({ path, real: real?.startsWith('/') ? real : path });
}

export function named({ path, real }: WorkspaceNames): Here {
  const both = [...new Set([path, absoluteWorkspace(real) ?? path])];
  return { path, real, hashes: both.map(workspaceHash) };
}

/** Whether a container is a session of that workspace. */
export function isOf(workspace: WorkspaceNames): (container: Container) => boolean {
  return ({ session }) => session !== undefined && isSameWorkspace(session, workspace);
}

/** The same, and also one that is no session but has that workspace. */
export function isIn(workspace: WorkspaceNames): (container: Container) => boolean {
  return ({ session, adopted }) => isSameWorkspace(session ?? adopted ?? {}, workspace);
}
