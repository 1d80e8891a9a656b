// Reads the facts about a workspace and the host around it that decide what to guard.
import { closeSync } from 'node:fs';
import { type Beneath, smallText } from '../../host/fs/beneath.ts';
import { type FileIds, openAs, withFileIds } from '../../host/fs/open-mount-source.ts';
import type { Libc } from '../../host/linux/libc.ts';
import { isWithin } from '../../session/protect/path-text.ts';
import type { HostLocation, OutsideText, TreeFacts } from '../../session/protect/path-walk.ts';
import type { RemoteFileSystems } from '../mounts/remote-file-systems.ts';
import { rightsOf } from '../reservations/file-owner.ts';
import type { Owner } from './guard/state.ts';
import { depthMax } from './guard/targets.ts';
import { noFilter, type TreeFilter } from './tree-filter.ts';

/** Dependencies and caches of a check. */
export interface TreeContext {
  readonly libc: Libc;
  readonly files: Pick<RemoteFileSystems, 'isUnresponsive'>;
  readonly below: Beneath;
  /** Its path on the host, without links. */
  readonly root: string;
  readonly owner: Owner;
  /** Cache of host paths: checking again might wait for a disk that does not respond. */
  readonly locations: Map<string, HostLocation>;
  /** Cache of host file contents. */
  readonly outside: Map<string, OutsideText>;
}

export function treeFacts(context: TreeContext, filter: TreeFilter = noFilter): TreeFacts {
  const { libc, files, below, root, owner, locations } = context;
  const { missing, isLate, known, isWhole } = filter;
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
    tree: (path, entriesMax) => below.scanTree(path, depthMax, entriesMax),
    root,
    outside: (hostPath) => {
      const before = context.outside.get(hostPath);
      // An agent can create a link to a file system that does not respond.
      if (before === undefined && files.isUnresponsive(hostPath)) return 'unread';
      const known = before ?? outsideText(context, hostPath);
      context.outside.set(hostPath, known);
      return known;
    },
    get home() {
      return libc.account(owner.uid)?.home;
    },
    locate: (hostPath) => {
      if (isWithin(hostPath, root)) return within(hostPath.slice(root.length).split('/'));
      const before = locations.get(hostPath);
      if (before === undefined && files.isUnresponsive(hostPath)) return { kind: 'tangled' };
      const known = before ?? locateOnHost(context, hostPath);
      locations.set(hostPath, known);
      return known;
    },
    isMountedOver: (path) => below.isMountedOver(path),
    isLate,
    known,
    isWhole,
    nowMs: () => performance.now(),
  };
}

/** Another name of the workspace counts as the workspace. A path that enters it elsewhere cannot be followed link by link. */
function locateOnHost({ libc, below, root, owner }: TreeContext, hostPath: string): HostLocation {
  const own = below.stats('.');
  const ids = rightsOf(libc, { ownerUid: owner.uid, ownerGid: owner.gid });
  const parts = hostPath.split('/').filter((part) => part !== '');
  for (let depth = 1; depth <= parts.length; depth += 1) {
    const found = statAs(libc, ids, `/${parts.slice(0, depth).join('/')}`);
    if (typeof found === 'string') return { kind: found };
    if (found.ino === own?.ino && found.dev === own.dev) return within(parts.slice(depth));
    if (isWithin(found.path, root)) return { kind: 'tangled' };
  }
  return { kind: 'outside' };
}

/** Reads it like git that runs as the workspace's owner. */
function outsideText({ libc, owner }: TreeContext, hostPath: string): OutsideText {
  const ids = rightsOf(libc, { ownerUid: owner.uid, ownerGid: owner.gid });
  try {
    const { fd, path, stats } = openAs(libc, ids, hostPath);
    try {
      // The kernel generates those files separately for each reader.
      const isKept = stats.isFile() && !/^\/(?:proc|sys|dev)\//.test(path);
      if (!isKept) return 'unread';
      const text = withFileIds(libc, ids, () => smallText(`/proc/self/fd/${fd}`));
      return text === undefined ? 'unread' : { text, at: path };
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const code = (error as { code?: string }).code ?? '';
    return ['ENOENT', 'ENOTDIR', 'EACCES'].includes(code) ? 'missing' : 'unread';
  }
}

function within(parts: readonly string[]): HostLocation {
  return { kind: 'within', parts: parts.filter((part) => part !== '' && part !== '.') };
}

/** Opens with the rights of the workspace's owner, so that their links do not reach files that they cannot. */
function statAs(
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
    // For example, a link in /proc has a different target for each program.
    return ['ENOENT', 'ENOTDIR', 'EACCES'].includes(code) ? 'outside' : 'tangled';
  }
}
