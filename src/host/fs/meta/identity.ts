// The identity of a file or directory, to recognize it later when its name may refer to another.
import { readFileSync, type Stats } from 'node:fs';

export interface FileIdentity {
  readonly device: number;
  readonly inode: number;
  /** Birth time of the inode (milliseconds since 1970); 0 if the file system has none. */
  readonly bornMs: number;
  /** The boot during which the device had that number: btrfs, overlay and NFS get new numbers at each boot. */
  readonly boot: string;
}

type Marks = Pick<Stats, 'dev' | 'ino' | 'birthtimeMs'>;

export function identityOf({ dev, ino, birthtimeMs }: Marks, boot: string): FileIdentity {
  return { device: dev, inode: ino, bornMs: birthtimeMs, boot };
}

/** Also compares the birth time, since file systems such as ext4 reuse an inode number at once. */
export function isSameFile(
  { device, inode, bornMs, boot: then }: FileIdentity,
  { dev, ino, birthtimeMs }: Marks,
  boot: string,
): boolean {
  return inode === ino && bornMs === birthtimeMs && (then !== boot || device === dev);
}

/** Compares two saved identities. */
export function areSameFile(one: FileIdentity, other: FileIdentity): boolean {
  const { device: dev, inode: ino, bornMs: birthtimeMs, boot } = other;
  return isSameFile(one, { dev, ino, birthtimeMs }, boot);
}

export function isIdentity(value: unknown): value is FileIdentity {
  const { device, inode, bornMs, boot } = (value ?? {}) as Partial<FileIdentity>;
  return (
    [device, inode, bornMs].every((one) => typeof one === 'number') && typeof boot === 'string'
  );
}

/** The id of the current boot (random(4)). */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
