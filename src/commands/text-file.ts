// Files of text that the user named: prompts, and what the agent is told.
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { hostFiles } from '../host/files.ts';
import { quoted } from '../names.ts';
import { workspacePath } from '../session/workspace.ts';

const maxBytes = 4 * 2 ** 20;

/** The text of the file. `what` begins the error: `the prompt file`. Throws `usage`. */
export function fileText(app: App, path: string, what: string): string {
  const real = hostFiles.realPath(workspacePath(app.cwd, path));
  const cannot = () =>
    new CoiError('usage', `${what} ${quoted(path)} cannot be read`, {
      hint: 'It has to be a file of text.',
    });
  if (!real?.startsWith('/')) throw cannot();
  const at = real.lastIndexOf('/');
  try {
    using directory = hostFiles.open(real.slice(0, at) || '/');
    const text = directory?.read(real.slice(at + 1), { maxBytes })?.text;
    if (text === undefined) throw cannot();
    return text;
  } catch (error) {
    throw hostFiles.problem(error) ? cannot() : error;
  }
}
