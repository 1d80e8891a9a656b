// A directory that a command was given, whose file system may not answer: the first look at it would not return, and no
// signal of the terminal would end that.
import type { ErrorCode } from '../errors.ts';
import { unansweredNow } from '../host/fs/meta/answers.ts';
import type { WorkspacePath } from '../names.ts';
import { heldPlace } from '../session/plan/held-directory.ts';
import { workspacePath } from '../session/plan/workspace.ts';
import type { AppContext } from './context.ts';

/** Of `--workspace`, else the current one. Throws `workspace-invalid`, also after some seconds without an answer. */
export function answeringWorkspace(app: AppContext, wanted: string | undefined): WorkspacePath {
  const path = workspacePath(app.cwd, wanted ?? '.');
  // The current one has answered already.
  if (wanted !== undefined) refuseHeld([path]);
  return path;
}

/** The same of any paths, as of mounts. */
export function refuseHeld(paths: readonly string[], code: ErrorCode = 'workspace-invalid'): void {
  const found = unansweredNow(paths);
  if (found) throw heldPlace(found.path, found.mount, code);
}
