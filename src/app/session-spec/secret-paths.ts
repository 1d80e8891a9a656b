// Finds the paths of a workspace that are hidden from its sessions ([security] secret_paths).
import { lstatSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../../config/keys/table.ts';
import { CoiError } from '../../errors.ts';
import { type TreeEntry, walk } from '../../host/fs/walk.ts';
import type { WorkspacePath } from '../../names.ts';
import { linkBytesMax, worktreeLink } from '../../session/git/worktree.ts';
import type { HiddenPaths, LinkTarget, WorkspaceEntry } from '../../session/plan/secret-globs.ts';
import type { AppContext } from '../context.ts';

const entriesMax = 200_000;
const indexBytesMax = 64 * 1024 * 1024;

/** The hidden paths, and the names that matched. Throws `unprotected-path` if the workspace is too large to search. */
export async function hiddenPaths(
  app: AppContext,
  settings: Pick<Settings, 'security.secret_paths'>,
  workspace: WorkspacePath,
): Promise<Pick<HiddenPaths, 'paths' | 'names'>> {
  const globs = settings['security.secret_paths'];
  if (globs.length === 0) return { paths: [], names: [] };
  const { findHiddenPaths: secrets, trackedPaths: tracked } = await import(
    '../../session/plan/secret-globs.ts'
  );
  const { found, complete } = walk(workspace, isSearched, entriesMax);
  if (!complete)
    throw new CoiError(
      'unprotected-path',
      `${workspace} has more than ${entriesMax} entries: too many to search for [security] secret_paths`,
      { hint: 'Start in a directory below it, or remove secret_paths.' },
    );
  const { paths, names, warnings } = secrets(
    globs,
    found.map((entry) => entryOf(workspace, entry)),
  );
  for (const warning of warnings) app.report.warn(warning);
  for (const path of tracked(paths, indexOf(workspace)))
    app.report.warn(
      `${path} is hidden, but git tracks it: its committed content can be read in .git`,
    );
  return { paths, names };
}

/** Third-party packages contain very many files, but no secrets of the user. */
function isSearched(path: string): boolean {
  return !/(?:^|\/)(?:node_modules|\.git)$/.test(path);
}

function entryOf(workspace: string, { path, stats }: TreeEntry): WorkspaceEntry {
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

/** A linked worktree has it elsewhere. */
function gitDirectory(workspace: string): string {
  const path = join(workspace, '.git');
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats?.isFile() || stats.size > linkBytesMax) return path;
  const link = worktreeLink(realpathSync(workspace), readFileSync(path, 'utf8'));
  return link ? join(link.common, 'worktrees', link.id) : path;
}
