// Looks up what of a workspace is hidden from its sessions ([security] secret_paths).
import { lstatSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from '../app.ts';
import type { Settings } from '../config/keys.ts';
import { CoiError } from '../errors.ts';
import { type Walked, walk } from '../host/walk.ts';
import type { WorkspacePath } from '../names.ts';
import type { WorkspaceEntry } from '../session/secrets.ts';

const entriesMax = 200_000;
const indexBytesMax = 64 * 1024 * 1024;

/** Paths relative to the workspace. Throws `unprotected-path` where not all of it could be looked at. */
export async function hiddenPaths(
  app: App,
  settings: Pick<Settings, 'security.secret_paths'>,
  workspace: WorkspacePath,
): Promise<readonly string[]> {
  const globs = settings['security.secret_paths'];
  if (globs.length === 0) return [];
  const { secrets, tracked } = await import('../session/secrets.ts');
  const { found, complete } = walk(workspace, isLookedInto, entriesMax);
  if (!complete)
    throw new CoiError(
      'unprotected-path',
      `${workspace} has more than ${entriesMax} entries: [security] secret_paths cannot be looked up in it`,
      { hint: 'Start in a directory below it, or take secret_paths out.' },
    );
  const { paths, warnings } = secrets(
    globs,
    found.map((entry) => entryOf(workspace, entry)),
  );
  for (const warning of warnings) app.io.warn(warning);
  for (const path of tracked(paths, indexOf(workspace)))
    app.io.warn(`${path} is hidden, but git knows it: what is committed can be read in .git`);
  return paths;
}

/** Packages of others hold no secrets of the user, and very many files. */
function isLookedInto(path: string): boolean {
  return !/(?:^|\/)(?:node_modules|\.git)$/.test(path);
}

function entryOf(workspace: string, { path, stats }: Walked): WorkspaceEntry {
  const { nlink: links } = stats;
  if (stats.isFile()) return { path, kind: 'file', links };
  if (stats.isDirectory()) return { path, kind: 'directory', links };
  if (!stats.isSymbolicLink()) return { path, kind: 'other', links };
  return { path, kind: 'link', links, target: targetOf(workspace, path) };
}

function targetOf(workspace: string, path: string): string | undefined {
  try {
    const [real, top] = [realpathSync(join(workspace, path)), realpathSync(workspace)];
    return real.startsWith(`${top}/`) ? real.slice(top.length + 1) : undefined;
  } catch {
    return undefined;
  }
}

function indexOf(workspace: string): Buffer {
  const path = join(workspace, '.git/index');
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats?.isFile() && stats.size <= indexBytesMax ? readFileSync(path) : Buffer.alloc(0);
}
