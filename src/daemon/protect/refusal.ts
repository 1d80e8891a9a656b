// What is said where nothing can be guarded.
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';

export function unguardable(path: string, cause?: unknown): CoiError {
  return new CoiError(
    'unprotected-path',
    `nothing on the file system of ${quoted(path)} can be protected: it has no idmapped mounts or no access lists`,
    {
      hint: 'Use a project on a local disk, or set [security] protection = "watch".',
      cause,
    },
  );
}
