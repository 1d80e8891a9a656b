// Looks up what of a workspace is hidden from its sessions ([security] secret_paths).
import { lstatSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../../config/keys/table.ts';
import { CoiError } from '../../errors.ts';
import { type Walked, walk } from '../../host/fs/walk.ts';
import type { WorkspacePath } from '../../names.ts';
import { linkBytesMax, worktreeLink } from '../../session/git/worktree.ts';
import type { LinkTarget, Secrets, WorkspaceEntry } from '../../session/plan/secret-globs.ts';
import type { AppContext } from '../context.ts';

const entriesMax = 200_000;
const indexBytesMax = 64 * 1024 * 1024;

/** What is hidden, and the names by which it was found. Throws `unprotected-path` where not all of it could be looked at. */
export async function hiddenPaths(
  app: AppContext,
  settings: Pick<Settings, 'security.secret_paths'>,
  workspace: WorkspacePath,
): Promise<Pick<Secrets, 'paths' | 'names'>> {
  const globs = settings['security.secret_paths'];
  if (globs.length === 0) return { paths: [], names: [] };
  const { secrets, tracked } = await import('../../session/plan/secret-globs.ts');
  const { found, complete } = walk(workspace, isLookedInto, entriesMax);
  if (!complete)
    throw new CoiError(
      'unprotected-path',
      `${workspace} has more than ${entriesMax} entries: [security] secret_paths cannot be looked up in it`,
      { hint: 'Start in a directory below it, or take secret_paths out.' },
    );
  const { paths, names, warnings } = secrets(
    globs,
    found.map((entry) => entryOf(workspace, entry)),
  );
  for (const warning of warnings) app.report.warn(warning);
  for (const path of tracked(paths, indexOf(workspace)))
    app.report.warn(`${path} is hidden, but git knows it: what is committed can be read in .git`);
  return { paths, names };
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

function targetOf(workspace: string, path: string): LinkTarget | undefined {
  try {
    const [real, top] = [realpathSync(join(workspace, path)), realpathSync(workspace)];
    if (real !== top && !real.startsWith(`${top}/`)) return undefined;
    const stats = statSync(real);
    const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other';
    return { path: real.slice(top.length + 1), kind };
  } catch {
    return undefined;
  }
}

function indexOf(workspace: string): Buffer {
  const path = join(gitDirectory(workspace), 'index');
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats?.isFile() && stats.size <= indexBytesMax ? readFileSync(path) : Buffer.alloc(0);
}

/** Of a linked worktree it lies elsewhere. */
function gitDirectory(workspace: string): string {
  const path = join(workspace, '.git');
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats?.isFile() || stats.size > linkBytesMax) return path;
  const link = worktreeLink(realpathSync(workspace), readFileSync(path, 'utf8'));
  return link ? join(link.common, 'worktrees', link.id) : path;
}
