// Copies ignored files that .worktreeinclude names, such as .env, from the user's directory into a new tree.
import { basename, dirname } from 'node:path';
import { type Directory, hostFiles } from '../../host/fs/host-files.ts';
import type { Git } from '../../host/git/run-git.ts';
import { pluralize } from '../../pluralize.ts';
import type { AppContext } from '../context.ts';

const listName = '.worktreeinclude';
const filesMax = 2000;
const fileMaxBytes = 50 * 2 ** 20;
const totalMaxBytes = 500 * 2 ** 20;

export interface CarryRequest {
  readonly user: Git;
  /** Top directory of the user's working tree. */
  readonly top: string;
  readonly tree: string;
  /** Files that no session may see. */
  readonly hidden: readonly string[];
}

/** Returns the paths. Files that cannot be copied are reported and left out. */
export async function carryFiles(
  app: AppContext,
  { user, top, tree, hidden }: CarryRequest,
): Promise<readonly string[]> {
  using source = hostFiles.open(top);
  using target = hostFiles.open(tree);
  if (source?.entry(listName)?.kind !== 'file' || !target) return [];
  const paths = (await listedFiles(user)).filter(
    (path) => !hidden.some((one) => path === one || path.startsWith(`${one}/`)),
  );
  const carried = copyFiles(app, source, target, paths);
  if (carried.length > 0) app.report.info(`Copied ${summary(carried)} (${listName})`);
  return carried;
}

/** Copies regular files, following no link, and returns the paths of those that were copied. */
export function copyFiles(
  { report }: Pick<AppContext, 'report'>,
  source: Directory,
  target: Directory,
  paths: readonly string[],
): readonly string[] {
  const copied: string[] = [];
  let bytes = 0;
  for (const path of paths) {
    if (copied.length === filesMax || bytes > totalMaxBytes) {
      report.warn(`only the first ${copied.length} of ${paths.length} ignored files were copied`);
      break;
    }
    try {
      const content = source.read(path, { maxBytes: fileMaxBytes });
      if (!content || target.entry(path)) continue;
      const directory = dirname(path);
      using above =
        directory === '.' ? undefined : target.makeDirectory(directory, { mode: 0o755 });
      const mode = content.mode & 0o777;
      (above ?? target).write(basename(path), content.bytes, { mode, durable: false });
      copied.push(path);
      bytes += content.bytes.length;
    } catch (error) {
      const problem = hostFiles.asFileError(error);
      if (!problem) throw error;
      report.warn(`not copied: ${problem.message}`);
    }
  }
  return copied;
}

/** Files that the list names and that git ignores. */
async function listedFiles(user: Git): Promise<readonly string[]> {
  const named = await user.run({
    args: ['ls-files', '-z', '--others', '--ignored', `--exclude-from=${listName}`],
  });
  if (named.stdout === '') return [];
  const ignored = await user.run({
    args: ['check-ignore', '-z', '--stdin'],
    input: named.stdout,
    answers: [1],
  });
  return ignored.stdout.split('\0').filter((path) => path !== '');
}

function summary(paths: readonly string[]): string {
  const [first = ''] = paths;
  return paths.length <= 3
    ? paths.join(', ')
    : `${first} and ${pluralize(paths.length - 1, 'other file')}`;
}
