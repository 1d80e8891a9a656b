// What is said of a directory on a file system that does not answer. Pure.
import { CoiError, type ErrorCode } from '../../errors.ts';
import type { RemoteMount } from '../../host/fs/meta/remote-mounts.ts';
import { quoted } from '../../names.ts';

export function heldPlace(
  path: string,
  { point, type }: Pick<RemoteMount, 'point' | 'type'>,
  code: ErrorCode = 'workspace-invalid',
): CoiError {
  const where = path === point ? type : `${type} at ${quoted(point)}`;
  return new CoiError(code, `the file system of ${quoted(path)} does not answer (${where})`, {
    hint: 'See whether its server can be reached, or unmount it (`umount -l`) and mount it again.',
  });
}
