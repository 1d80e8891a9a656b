// What --mount gave a container at its last start, for the next one and for its forks.
import type { App } from '../app.ts';
import { hostFiles } from '../host/files.ts';
import { quoted } from '../names.ts';
import { parseAsked } from '../session/asked-mounts.ts';
import type { SessionRecord } from '../session/record.ts';
import type { GlobalOptions } from './command.ts';

/**
 * The options with the mounts of before, where none are named now. One whose path leads elsewhere by now is left out: an
 * agent may have put a link in its place.
 */
export function withMountsOfBefore<T extends GlobalOptions>(
  app: App,
  options: T,
  { asked }: SessionRecord,
): T {
  if (options.mount.length > 0) return options;
  const mountsOfBefore = parseAsked(asked).filter(({ host, container }) => {
    if (hostFiles.realPath(host) === host) return true;
    app.io.warn(`--mount ${quoted(host)}:${container} of before is left out: it is not there now`);
    return false;
  });
  return { ...options, mountsOfBefore };
}
