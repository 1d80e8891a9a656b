// Path arguments on file systems that may hang: the first access would block, and no signal of the terminal could end it.
import type { ErrorCode } from '../errors.ts';
import { findHungPathSync } from '../host/fs/meta/hung-mounts.ts';
import type { WorkspacePath } from '../names.ts';
import { unresponsiveDirectory } from '../session/plan/unresponsive-directory.ts';
import { workspacePath } from '../session/plan/workspace.ts';
import type { AppContext } from './context.ts';

/** The path of `--workspace`, else the current directory. Throws `workspace-invalid`, also if its file system hangs. */
export function resolveWorkspace(app: AppContext, wanted: string | undefined): WorkspacePath {
  const path = workspacePath(app.cwd, wanted ?? '.');
  // The current directory has already answered.
  if (wanted !== undefined) refuseHungPaths([path]);
  return path;
}

/** Throws if the file system of one of the paths does not answer within some seconds. */
export function refuseHungPaths(
  paths: readonly string[],
  code: ErrorCode = 'workspace-invalid',
): void {
  const found = findHungPathSync(paths);
  if (found) throw unresponsiveDirectory(found.path, found.mount, code);
}
