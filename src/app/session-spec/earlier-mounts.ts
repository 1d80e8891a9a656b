// The --mount directories of a container's last start, for its next start and its forks.
import { hostFiles } from '../../host/fs/host-files.ts';
import { quoted } from '../../names.ts';
import type { ExtraMount } from '../../session/plan/session-spec.ts';
import type { SessionRecord } from '../../session/record/instance-record.ts';
import { parseRequestedMounts } from '../../session/record/requested-mounts.ts';
import type { AppContext } from '../context.ts';

/** Skips paths that now lead elsewhere: an agent may have replaced them with a link. */
export function earlierMounts(app: AppContext, { asked }: SessionRecord): readonly ExtraMount[] {
  return parseRequestedMounts(asked).filter(({ host, container }) => {
    if (hostFiles.realPath(host) === host) return true;
    app.report.warn(
      `skipping the earlier --mount ${quoted(host)}:${container}: it is no longer there`,
    );
    return false;
  });
}
