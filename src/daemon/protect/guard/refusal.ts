// What is said where nothing can be guarded.
import { CoiError } from '../../../errors.ts';
import { fileSystemOf } from '../../../host/fs/meta/file-system.ts';
import type { Source } from '../../../host/fs/open-source.ts';
import { quoted } from '../../../names.ts';

/** Ids cannot be mapped where it lies or, with a cause, no access lists kept. */
export function unguardable({ fd, path }: Pick<Source, 'fd' | 'path'>, cause?: unknown): CoiError {
  const lacks = cause === undefined ? 'ids cannot be mapped on it' : 'it keeps no access lists';
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
