// Directories that one container gets twice: what is refused or said before anything is mounted.
import { treePlaceOf } from '../../host/fs/meta/tree-place.ts';
import { quoted } from '../../names.ts';
import type { PlannedMount } from '../../session/plan/session-wish.ts';
import {
  boundOf,
  furtherInside,
  overlapOf,
  refusal,
  refuseAboveGit,
} from '../../session/protect/overlap.ts';
import type { SessionRecord } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';

/**
 * For a mount that Incus makes of the host's own directory, in which coid covers nothing. Throws `unprotected-path` where
 * it would show what the session's workspace hides, or let change what is protected there.
 */
export function refuseSecondView(
  { mounts: { protect, secrets, mounts }, workspace }: SessionRecord,
  host: string,
  readonly: boolean,
): void {
  const [own, other] = [treePlaceOf(workspace), treePlaceOf(host)];
  if (!own || !other) return;
  const git = mounts.find((mount) => mount.git !== undefined);
  const common = git && protect?.mode === 'guard' ? treePlaceOf(git.source) : undefined;
  if (common) refuseAboveGit(overlapOf(common, other), { source: host, readonly });
  const inside = furtherInside(
    overlapOf(own, other),
    { source: host, readonly },
    boundOf(protect, secrets),
  );
  const [secret] = inside.secrets;
  const hint = 'Add it to the session instead: --mount, or [[mounts.default]].';
  if (secret !== undefined)
    throw refusal(host, `shows ${quoted(secret)}, which is hidden ([security] secret_paths)`, hint);
  if (inside.readonlyGit)
    throw refusal(host, 'shows .git, which is read-only ([git] readonly)', hint);
}

/** A read-only mount keeps nobody from writing where the same directory is in a writable one. */
export function warnOfWritableTwins(app: AppContext, mounts: readonly PlannedMount[]): void {
  if (!mounts.some(({ readonly }) => readonly)) return;
  const placed = mounts.map((mount) => ({ ...mount, place: treePlaceOf(mount.source) }));
  for (const { source, target, place } of placed.filter(({ readonly }) => readonly)) {
    const twin = placed.find((other) => {
      if (other.readonly || !place || !other.place) return false;
      const { kind } = overlapOf(other.place, place);
      return kind === 'same' || kind === 'below';
    });
    if (twin)
      app.report.warn(
        `${source} is read-only at ${target}, but the same files can be written at ${twin.target}`,
      );
  }
}
