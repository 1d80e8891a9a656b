// Text files that the user names: prompts, build scripts, env files and the agent's context.
import { CoiError } from '../errors.ts';
import { hostFiles } from '../host/fs/host-files.ts';
import { readDescriptor } from '../host/fs/read-descriptor.ts';
import { type LinkPolicy, readNamedFile } from '../host/fs/read-named-file.ts';
import { quoted } from '../names.ts';
import { workspacePath } from '../session/plan/workspace.ts';
import { knownWorkspaces } from '../session/record/known-workspaces.ts';
import type { AppContext } from './context.ts';

const defaultMaxBytes = 4 * 2 ** 20;

/** The agent has access to its workspace anyway, and agents of other workspaces only had access to theirs. */
function reachOf({ user }: AppContext, workspace: string): LinkPolicy {
  return {
    writable: () => [[workspace], ...knownWorkspaces(user.home, hostFiles)],
    shown: [workspace],
  };
}

/**
 * The text of the file. A file in a workspace must not be a link out of it: an agent may have made it a link to a file of
 * the user's that the agent cannot read. `what` begins the error: `the prompt file`. Throws `usage`.
 */
export function readTextFile(
  app: AppContext,
  path: string,
  what: string,
  workspace: string,
  maxBytes = defaultMaxBytes,
): string {
  const full = workspacePath(app.cwd, path);
  // A shell's form of `<(command)`. It cannot be found by its path, and no agent can have replaced it.
  const descriptor = /^\/(?:dev|proc\/self)\/fd\/(\d{1,4})$/.exec(full)?.[1];
  const hint = descriptor === undefined ? 'Name a text file.' : 'Write it into a file first.';
  try {
    const content =
      descriptor === undefined
        ? readNamedFile(full, reachOf(app, workspace), { maxBytes })
        : readDescriptor(Number(descriptor), full, maxBytes);
    if (content === undefined)
      throw new CoiError('usage', `${what} ${quoted(path)} does not exist`, { hint });
    return content.text;
  } catch (error) {
    const problem = hostFiles.asFileError(error);
    if (!problem) throw error;
    throw new CoiError('usage', `${what} ${problem.message}`, {
      hint: problem.reason === 'link' ? 'Name the file itself.' : hint,
    });
  }
}
