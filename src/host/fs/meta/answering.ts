// Whether a directory answers: one on a file system whose server is gone holds up for ever whoever looks at it, so a
// program that can be killed looks first.
import { runCommand } from '../../process/run-program.ts';
import { fileSystemAt } from './file-system.ts';

/** Of this host's own disks and memory: nobody else has to answer. */
const own = new Set([
  ...['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'zfs', 'f2fs', 'bcachefs', 'tmpfs', 'ramfs'],
  ...['overlay', 'jfs', 'reiserfs', 'vfat', 'exfat', 'ntfs3', 'iso9660', 'squashfs', 'erofs'],
]);
const limitMs = 2000;

/** True also for one that is not there: to find that out takes no time. */
export async function answers(path: string, signal: AbortSignal): Promise<boolean> {
  const type = fileSystemAt(path)?.type;
  if (type === undefined || own.has(type)) return true;
  try {
    const argv = ['stat', '--format=', '--', path];
    const { status } = await runCommand(argv, { signal, timeoutMs: limitMs });
    return status !== undefined;
  } catch (error) {
    signal.throwIfAborted();
    if ((error as Error).name === 'TimeoutError') return false;
    throw error;
  }
}
