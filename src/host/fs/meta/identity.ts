// Which file or directory something is, so that it is known again where its name may lead elsewhere by then.
import { readFileSync, type Stats } from 'node:fs';

export interface Identity {
  readonly device: number;
  readonly inode: number;
  /** When the inode was made (milliseconds since 1970); 0: the file system does not say. */
  readonly bornMs: number;
  /** The boot of the host in which the device had that number: btrfs, overlay and NFS are numbered anew at each. */
  readonly boot: string;
}

type Marks = Pick<Stats, 'dev' | 'ino' | 'birthtimeMs'>;

export function identityOf({ dev, ino, birthtimeMs }: Marks, boot: string): Identity {
  return { device: dev, inode: ino, bornMs: birthtimeMs, boot };
}

/** A file system gives the number of a removed directory to the next one at once (ext4 does), so the time of birth counts too. */
export function isSame(
  { device, inode, bornMs, boot: then }: Identity,
  { dev, ino, birthtimeMs }: Marks,
  boot: string,
): boolean {
  return inode === ino && bornMs === birthtimeMs && (then !== boot || device === dev);
}

/** Of two that were both written down. */
export function areSame(one: Identity, other: Identity): boolean {
  const { device: dev, inode: ino, bornMs: birthtimeMs, boot } = other;
  return isSame(one, { dev, ino, birthtimeMs }, boot);
}

export function isIdentity(value: unknown): value is Identity {
  const { device, inode, bornMs, boot } = (value ?? {}) as Partial<Identity>;
  return (
    [device, inode, bornMs].every((one) => typeof one === 'number') && typeof boot === 'string'
  );
}

/** Of this boot of the host (random(4)). */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
