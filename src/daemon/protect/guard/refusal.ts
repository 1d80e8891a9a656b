// The error for a workspace that cannot be guarded.
import { CoiError } from '../../../errors.ts';
import { fileSystemOf } from '../../../host/fs/meta/file-system.ts';
import type { OpenSource } from '../../../host/fs/open-mount-source.ts';
import { quoted } from '../../../names.ts';

/** Its file system supports no idmapped mounts or, if there is a cause, no ACLs. */
export function unguardableError(
  { fd, path }: Pick<OpenSource, 'fd' | 'path'>,
  cause?: unknown,
): CoiError {
  const lacks =
    cause === undefined ? 'it does not support idmapped mounts' : 'it does not support ACLs';
  const type = fileSystemOf(fd)?.type ?? 'unknown';
  return new CoiError(
    'unprotected-path',
    `nothing in ${quoted(path)} can be protected on its file system (${type}): ${lacks}`,
    {
      hint: 'Use a project on a local disk, or set [security] protection = "watch", which only reports changes.',
      cause,
    },
  );
}
