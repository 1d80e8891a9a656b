// Files of text that the user named: prompts, scripts of builds, and what the agent is told.
import { CoiError } from '../errors.ts';
import { hostFiles } from '../host/fs/host-files.ts';
import { readDescriptor } from '../host/fs/read-descriptor.ts';
import { type Reach, readNamed } from '../host/fs/read-within.ts';
import { quoted } from '../names.ts';
import { workspacePath } from '../session/plan/workspace.ts';
import { knownWorkspaces } from '../session/record/known-workspaces.ts';
import type { AppContext } from './context.ts';

const defaultMaxBytes = 4 * 2 ** 20;

/** What is in the workspace the agent has anyway; another one's agent had no more than its own. */
function reachOf({ user }: AppContext, workspace: string): Reach {
  return {
    writable: () => [[workspace], ...knownWorkspaces(user.home, hostFiles)],
    shown: [workspace],
  };
}

/**
 * The text of the file. One in a workspace has to lie there itself: an agent may have made it a link to a file of the
 * user's that it cannot read. `what` begins the error: `the prompt file`. Throws `usage`.
 */
export function fileText(
  app: AppContext,
  path: string,
  what: string,
  workspace: string,
  maxBytes = defaultMaxBytes,
): string {
  const full = workspacePath(app.cwd, path);
  // What a shell makes of `<(command)`. It is not found by its name, and nobody can have exchanged it.
  const descriptor = /^\/(?:dev|proc\/self)\/fd\/(\d{1,4})$/.exec(full)?.[1];
  const hint =
    descriptor === undefined ? 'It has to be a file of text.' : 'Write it into a file first.';
  try {
    const content =
      descriptor === undefined
        ? readNamed(full, reachOf(app, workspace), { maxBytes })
        : readDescriptor(Number(descriptor), full, maxBytes);
    if (content === undefined)
      throw new CoiError('usage', `${what} ${quoted(path)} does not exist`, { hint });
    return content.text;
  } catch (error) {
    const problem = hostFiles.problem(error);
    if (!problem) throw error;
    throw new CoiError('usage', `${what} ${problem.message}`, {
      hint: problem.reason === 'link' ? 'Name the file itself.' : hint,
    });
  }
}
