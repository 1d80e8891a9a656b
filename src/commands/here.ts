// The workspace of the command line, by both of its names.
import type { App } from '../app.ts';
import { hostFiles } from '../host/files.ts';
import { type WorkspaceHash, type WorkspacePath, workspaceHash } from '../names.ts';
import type { Container } from '../session/record.ts';
import type { StoredWorkspace } from '../session/stored.ts';
import { isSameWorkspace, type WorkspaceNames } from '../session/workspace.ts';
import { answeringWorkspace } from './answering.ts';
import type { GlobalOptions } from './command.ts';

export interface Here extends StoredWorkspace {
  /** Of containers that are named after it: those that were begun by this name first. */
  readonly hashes: readonly WorkspaceHash[];
}

/** The names of the workspace that the options mean; it need not exist any more. */
export function here(app: App, options: Pick<Partial<GlobalOptions>, 'workspace'>): Here {
  const path = answeringWorkspace(app, options.workspace);
  const real = hostFiles.realPath(path);
  return named({ path, real: real?.startsWith('/') ? real : path });
}

export function named({ path, real }: WorkspaceNames): Here {
  const both = [...new Set([path, real as WorkspacePath])];
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
