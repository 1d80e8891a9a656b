// What --mount gave a container at its last start, for the next one and for its forks.
import { hostFiles } from '../../host/fs/host-files.ts';
import { quoted } from '../../names.ts';
import type { ExtraMount } from '../../session/plan/session-wish.ts';
import { parseAsked } from '../../session/record/asked-mounts.ts';
import type { SessionRecord } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';

/** One whose path leads elsewhere by now is left out: an agent may have put a link in its place. */
export function earlierMounts(app: AppContext, { asked }: SessionRecord): readonly ExtraMount[] {
  return parseAsked(asked).filter(({ host, container }) => {
    if (hostFiles.realPath(host) === host) return true;
    app.report.warn(
      `--mount ${quoted(host)}:${container} of before is left out: it is not there now`,
    );
    return false;
  });
}
