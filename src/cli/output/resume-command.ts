// What a person is told to type, to go on with a session that has ended.
import { CoiError } from '../../errors.ts';
import type { App } from '../app.ts';
import { resumeCommand } from '../ui/story.ts';

export function resumeWords(
  app: App,
  session: { session: string; workspace: string; alias: string | undefined },
): string {
  const { workspace, alias } = session;
  return resumeCommand(session.session, { workspace, alias, cwd: currentDirectory(app) });
}

/** A session may be ended from a directory that is gone by now. */
function currentDirectory(app: App): string {
  try {
    return app.cwd;
  } catch (error) {
    if (error instanceof CoiError) return '';
    throw error;
  }
}
