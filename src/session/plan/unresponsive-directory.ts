// Error for a directory on a file system that does not respond. Pure.
import { CoiError, type ErrorCode } from '../../errors.ts';
import type { RemoteMount } from '../../host/fs/meta/remote-mounts.ts';
import { quoted } from '../../names.ts';

export function unresponsiveDirectory(
  path: string,
  { point, type }: Pick<RemoteMount, 'point' | 'type'>,
  code: ErrorCode = 'workspace-invalid',
): CoiError {
  const where = path === point ? type : `${type} at ${quoted(point)}`;
  return new CoiError(code, `the file system of ${quoted(path)} does not answer (${where})`, {
    hint: 'Check whether its server is reachable, or unmount it (`umount -l`) and mount it again.',
  });
}
