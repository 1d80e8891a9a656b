// Indexes of git in a workspace, or in the directory of git that a linked worktree has outside of it, read and changed without
// following a link.
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  type Stats,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { Below } from '../../host/guarded.ts';
import type { Libc } from '../../host/libc.ts';
import { openAs } from '../../host/open-source.ts';
import { type Gitlink, readIndex } from '../../session/git-index.ts';
import { withoutGitlinks } from '../../session/git-index-edit.ts';
import type { IndexPlace } from '../../session/git-submodules.ts';
import type { RemoteFiles } from '../remote-files.ts';
import { rightsOf } from '../whose.ts';
import type { Owner } from './state.ts';

const O_PATH_DIRECTORY = 0o10200000;
/** Git of a million files makes a smaller one. */
const bytesMax = 2 ** 28;

export interface Places {
  readonly libc: Libc;
  readonly files: Pick<RemoteFiles, 'isHeld'>;
  readonly below: Below;
  readonly owner: Owner;
}

export interface FoundIndex {
  readonly gitlinks: readonly Gitlink[];
  readonly isSparse: boolean;
  /** Some of its entries are in a further file, where nothing is taken out. */
  readonly isSplit: boolean;
  /** Tells whether it is the same file, with the same content, as far as that can be seen. */
  readonly mark: string;
}

/** `unread` where git could read something else in it. */
export function indexAt(places: Places, place: IndexPlace): FoundIndex | 'missing' | 'unread' {
  const found = inDirectory(places, place.directory, (below) => {
    const file = contentOf(below, 'index');
    if (typeof file === 'string') return file;
    const index = readIndex(file.bytes, place.hashBytes);
    const mark = markOf(file.stats);
    if (!index) return 'unread';
    const { gitlinks, isSparse, shared } = index;
    if (shared === undefined) return { gitlinks, isSparse, isSplit: false, mark };
    const base = contentOf(below, shared);
    const more = typeof base === 'string' ? undefined : readIndex(base.bytes, place.hashBytes);
    if (!more || more.shared !== undefined) return 'unread';
    return {
      gitlinks: [...gitlinks, ...more.gitlinks],
      isSparse: isSparse || more.isSparse,
      ...{ isSplit: true, mark },
    };
  });
  return found ?? 'missing';
}

/** As `FoundIndex.mark`; undefined where there is no index. */
export function markAt(places: Places, { directory }: IndexPlace): string | undefined {
  return inDirectory(places, directory, (below) => {
    const stats = below.stats('index');
    return stats && markOf(stats);
  });
}

/** - `busy`: a git is changing it; `stuck`: it cannot be changed. */
export type TakenOut = 'done' | 'busy' | 'stuck';

/** Takes submodules out of the index, under git's own lock. Their files stay. Throws what the file system says. */
export function takeOut(
  places: Places,
  { directory, hashBytes }: IndexPlace,
  raw: ReadonlySet<string>,
): TakenOut {
  const taken = inDirectory(places, directory, (below) =>
    below.with('.', (fd) => changed(`/proc/self/fd/${fd}`, below, raw, hashBytes)),
  );
  return taken ?? 'done';
}

function changed(
  directory: string,
  below: Below,
  raw: ReadonlySet<string>,
  hashBytes: IndexPlace['hashBytes'],
): TakenOut {
  const lock = `${directory}/index.lock`;
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  let fd: number;
  try {
    fd = openSync(lock, flags, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return 'busy';
    throw error;
  }
  try {
    const file = contentOf(below, 'index');
    const after =
      typeof file === 'string' ? undefined : withoutGitlinks(file.bytes, raw, hashBytes);
    if (typeof file === 'string' || !after) {
      unlinkSync(lock);
      return file === 'missing' ? 'done' : 'stuck';
    }
    writeFileSync(fd, after);
    fchownSync(fd, file.stats.uid, file.stats.gid);
    fchmodSync(fd, file.stats.mode & 0o777);
    renameSync(lock, `${directory}/index`);
    return 'done';
  } catch (error) {
    unlinkSync(lock);
    throw error;
  } finally {
    closeSync(fd);
  }
}

function contentOf(
  below: Below,
  name: string,
): { readonly bytes: Buffer; readonly stats: Stats } | 'missing' | 'unread' {
  const found = below.with(name, (fd) => {
    const stats = fstatSync(fd);
    if (!stats.isFile() || stats.size > bytesMax) return 'unread';
    return { bytes: readFileSync(`/proc/self/fd/${fd}`), stats };
  });
  return found ?? 'missing';
}

function inDirectory<T>(
  { libc, files, below, owner }: Places,
  directory: string,
  run: (below: Below) => T,
): T | undefined {
  if (!directory.startsWith('/')) {
    return below.with(directory, (fd) => {
      if (!fstatSync(fd).isDirectory()) return undefined;
      using inner = new Below(libc, openSync(`/proc/self/fd/${fd}`, O_PATH_DIRECTORY));
      return run(inner);
    });
  }
  if (files.isHeld(directory)) return undefined;
  const ids = rightsOf(libc, { ownerUid: owner.uid, ownerGid: owner.gid });
  try {
    const source = openAs(libc, ids, directory);
    using inner = new Below(libc, source.fd);
    return source.stats.isDirectory() ? run(inner) : undefined;
  } catch (error) {
    const code = (error as { code?: string }).code ?? '';
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(code)) return undefined;
    throw error;
  }
}

function markOf({ ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
}
