// The workspace of the command line, by its path as given and its real path.
import { hostFiles } from '../host/fs/host-files.ts';
import { absoluteWorkspace, type WorkspaceHash, workspaceHash } from '../names.ts';
import { isSameWorkspace, type WorkspaceNames } from '../session/plan/workspace.ts';
import type { Container } from '../session/record/instance-record.ts';
import type { StoredWorkspace } from '../session/store/saved-sessions.ts';
import type { AppContext } from './context.ts';
import type { SessionTarget } from './requests.ts';
import { resolveWorkspace } from './resolve-workspace.ts';

export interface WorkspaceIdentity extends StoredWorkspace {
  /** Hashes in the names of its containers: the one of the path as given comes first. */
  readonly hashes: readonly WorkspaceHash[];
}

/** The paths of the selected workspace, which need not exist any longer. */
export function identifyWorkspace(
  app: AppContext,
  target: Pick<SessionTarget, 'workspace'>,
): WorkspaceIdentity {
  const path = resolveWorkspace(app, target.workspace);
  const real = hostFiles.realPath(path);
  return workspaceIdentity({ path, real: real?.startsWith('/') ? real : path });
}

export function workspaceIdentity({ path, real }: WorkspaceNames): WorkspaceIdentity {
  const both = [...new Set([path, absoluteWorkspace(real) ?? path])];
  return { path, real, hashes: both.map(workspaceHash) };
}

/** Whether a container is a session of that workspace. */
export function isSessionOf(workspace: WorkspaceNames): (container: Container) => boolean {
  return ({ session }) => session !== undefined && isSameWorkspace(session, workspace);
}

/** Whether a container is a session of that workspace, or mounts it without being a session. */
export function isContainerOf(workspace: WorkspaceNames): (container: Container) => boolean {
  return ({ session, adopted }) => isSameWorkspace(session ?? adopted ?? {}, workspace);
}
