// The command that resumes an ended session.
import { CoiError } from '../../errors.ts';
import type { App } from '../app.ts';
import { resumeCommand } from '../ui/session-lines.ts';

export function resumeCommandOf(
  app: App,
  session: { session: string; workspace: string; alias: string | undefined },
): string {
  const { workspace, alias } = session;
  return resumeCommand(session.session, { workspace, alias, cwd: currentDirectory(app) });
}

/** Empty if the current directory was deleted: a session can be ended from there, too. */
function currentDirectory(app: App): string {
  try {
    return app.cwd;
  } catch (error) {
    if (error instanceof CoiError) return '';
    throw error;
  }
}
