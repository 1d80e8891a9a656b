// POSIX access control lists in the kernel's format (attribute system.posix_acl_access). Source: acl(5), <linux/posix_acl_xattr.h>.

export const aclAttribute = 'system.posix_acl_access';

export interface AclEntry {
  readonly tag: 'owner' | 'user' | 'owning-group' | 'group' | 'mask' | 'other';
  /** 4 read, 2 write, 1 execute. */
  readonly permissions: number;
  /** uid or gid of `user` and `group`. */
  readonly id?: number;
}

const version = 2;
const noId = 0xffffffff;
/** In the order that the kernel requires. */
const tags = { owner: 1, user: 2, 'owning-group': 4, group: 8, mask: 0x10, other: 0x20 } as const;
const headerBytes = 4;
const entryBytes = 8;

export function encodeAcl(entries: readonly AclEntry[]): Buffer {
  const sorted = entries.toSorted(
    (one, other) => tags[one.tag] - tags[other.tag] || (one.id ?? 0) - (other.id ?? 0),
  );
  const bytes = Buffer.alloc(headerBytes + entryBytes * sorted.length);
  bytes.writeUInt32LE(version, 0);
  sorted.forEach(({ tag, permissions, id }, index) => {
    const at = headerBytes + entryBytes * index;
    bytes.writeUInt16LE(tags[tag], at);
    bytes.writeUInt16LE(permissions, at + 2);
    bytes.writeUInt32LE(id ?? noId, at + 4);
  });
  return bytes;
}

/** The entries of an ACL; empty for an unknown format. */
export function decodeAcl(bytes: Buffer): AclEntry[] {
  if (bytes.length < headerBytes || bytes.readUInt32LE(0) !== version) return [];
  return Array.from(
    { length: Math.floor((bytes.length - headerBytes) / entryBytes) },
    (_, index) => {
      const at = headerBytes + entryBytes * index;
      const code = bytes.readUInt16LE(at);
      const [tag] = (Object.keys(tags) as (keyof typeof tags)[]).filter(
        (name) => tags[name] === code,
      );
      const id = bytes.readUInt32LE(at + 4);
      return {
        tag: tag ?? 'other',
        permissions: bytes.readUInt16LE(at + 2),
        ...(id === noId ? {} : { id }),
      };
    },
  );
}

/** The ACL of a file that gets a new owner: `uid`, the old owner, keeps its rights, and nobody else gains or loses any. */
export function aclKeepingRights(
  mode: number,
  before: readonly AclEntry[],
  uid: number,
): AclEntry[] {
  const owner = (mode >> 6) & 7;
  const plain: readonly AclEntry[] = [
    { tag: 'owner', permissions: owner },
    { tag: 'owning-group', permissions: (mode >> 3) & 7 },
    { tag: 'other', permissions: mode & 7 },
  ];
  const entries = before.length > 0 ? before : plain;
  const others = entries.filter(({ tag, id }) => tag !== 'mask' && !(tag === 'user' && id === uid));
  const limit = entries.find(({ tag }) => tag === 'mask')?.permissions ?? 7;
  // The mask limited the other entries; now it must admit the former owner, so the limit is moved into those entries.
  const masked = others.map((entry) =>
    entry.tag === 'owner' || entry.tag === 'other'
      ? entry
      : { ...entry, permissions: entry.permissions & limit },
  );
  const mask = masked.reduce(
    (all, { tag, permissions }) => (tag === 'owner' || tag === 'other' ? all : all | permissions),
    owner,
  );
  return [
    ...masked,
    { tag: 'user', id: uid, permissions: owner },
    { tag: 'mask', permissions: mask },
  ];
}
