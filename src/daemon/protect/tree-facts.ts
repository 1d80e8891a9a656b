// What there is in a workspace and on the host beside it, for the decision what to guard.
import { closeSync } from 'node:fs';
import { type Below, smallText } from '../../host/fs/beneath.ts';
import { type FileIds, openAs, withIds } from '../../host/fs/open-source.ts';
import type { Libc } from '../../host/linux/libc.ts';
import { isWithin } from '../../session/protect/path-text.ts';
import type { HostPlace, OutsideText, TreeFacts } from '../../session/protect/path-walk.ts';
import type { RemoteFiles } from '../mounts/remote-files.ts';
import { rightsOf } from '../reservations/file-owner.ts';
import type { Owner } from './guard/state.ts';
import { depthMax } from './guard/wanted.ts';
import { type Hidden, nothingHidden } from './hidden.ts';

/** What a workspace is looked at with. */
export interface Looked {
  readonly libc: Libc;
  readonly files: Pick<RemoteFiles, 'isHeld'>;
  readonly below: Below;
  /** Its path on the host, without links. */
  readonly root: string;
  readonly owner: Owner;
  /** What was found out of paths of the host: to look again might wait for a disk that is away. */
  readonly places: Map<string, HostPlace>;
  /** What was read of its files, for the same reason. */
  readonly outside: Map<string, OutsideText>;
}

export function factsOf(looked: Looked, hidden: Hidden = nothingHidden): TreeFacts {
  const { libc, files, below, root, owner, places } = looked;
  const { missing, isLate, known, isWhole } = hidden;
  const isHidden = (path: string) => missing.some((gone) => isWithin(path, gone));
  return {
    kind: (path) => {
      const stats = isHidden(path) ? undefined : below.stats(path);
      if (!stats) return 'missing';
      if (stats.isFile()) return 'file';
      if (stats.isDirectory()) return 'directory';
      return stats.isSymbolicLink() ? 'link' : 'other';
    },
    names: (path, max) => (isHidden(path) ? [] : below.names(path, max)),
    text: (path) => (isHidden(path) ? undefined : below.text(path)),
    link: (path) => below.linkText(path),
    tree: (path, entriesMax) => below.treeIn(path, depthMax, entriesMax),
    root,
    outside: (hostPath) => {
      const before = looked.outside.get(hostPath);
      // An agent can make a link that leads where nothing answers.
      if (before === undefined && files.isHeld(hostPath)) return 'unread';
      const known = before ?? outsideText(looked, hostPath);
      looked.outside.set(hostPath, known);
      return known;
    },
    get home() {
      return libc.account(owner.uid)?.home;
    },
    place: (hostPath) => {
      if (isWithin(hostPath, root)) return within(hostPath.slice(root.length).split('/'));
      const before = places.get(hostPath);
      if (before === undefined && files.isHeld(hostPath)) return { kind: 'tangled' };
      const known = before ?? placeOnHost(looked, hostPath);
      places.set(hostPath, known);
      return known;
    },
    isMountedOver: (path) => below.isMountedOver(path),
    isLate,
    known,
    isWhole,
    nowMs: () => performance.now(),
  };
}

/** Another name of the workspace is as good as its own; a way in that goes round it cannot be followed link by link. */
function placeOnHost({ libc, below, root, owner }: Looked, hostPath: string): HostPlace {
  const own = below.stats('.');
  const ids = rightsOf(libc, { ownerUid: owner.uid, ownerGid: owner.gid });
  const parts = hostPath.split('/').filter((part) => part !== '');
  for (let depth = 1; depth <= parts.length; depth += 1) {
    const found = openedAs(libc, ids, `/${parts.slice(0, depth).join('/')}`);
    if (typeof found === 'string') return { kind: found };
    if (found.ino === own?.ino && found.dev === own.dev) return within(parts.slice(depth));
    if (isWithin(found.path, root)) return { kind: 'tangled' };
  }
  return { kind: 'outside' };
}

/** As git reads it that runs as the workspace's owner. */
function outsideText({ libc, owner }: Looked, hostPath: string): OutsideText {
  const ids = rightsOf(libc, { ownerUid: owner.uid, ownerGid: owner.gid });
  try {
    const { fd, path, stats } = openAs(libc, ids, hostPath);
    try {
      // What the kernel makes up there is different for each program that reads it.
      const isKept = stats.isFile() && !/^\/(?:proc|sys|dev)\//.test(path);
      if (!isKept) return 'unread';
      const text = withIds(libc, ids, () => smallText(`/proc/self/fd/${fd}`));
      return text === undefined ? 'unread' : { text, at: path };
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const code = (error as { code?: string }).code ?? '';
    return ['ENOENT', 'ENOTDIR', 'EACCES'].includes(code) ? 'missing' : 'unread';
  }
}

function within(parts: readonly string[]): HostPlace {
  return { kind: 'within', parts: parts.filter((part) => part !== '' && part !== '.') };
}

/** With the rights of the workspace's owner: coid follows no link of theirs to what they cannot reach. */
function openedAs(
  libc: Libc,
  ids: FileIds,
  path: string,
): { readonly path: string; readonly ino: number; readonly dev: number } | 'outside' | 'tangled' {
  try {
    const source = openAs(libc, ids, path);
    closeSync(source.fd);
    return { path: source.path, ino: source.stats.ino, dev: source.stats.dev };
  } catch (error) {
    const code = (error as { code?: string }).code ?? '';
    // A link of /proc, for example, leads elsewhere for each program that follows it.
    return ['ENOENT', 'ENOTDIR', 'EACCES'].includes(code) ? 'outside' : 'tangled';
  }
}
