// Directories that are mounted twice in one container: refuses or warns before anything is mounted.
import { treeLocationAt } from '../../host/fs/meta/tree-location.ts';
import { quoted } from '../../names.ts';
import type { PlannedMount } from '../../session/plan/session-spec.ts';
import {
  extraMountGuards,
  mountError,
  overlapOf,
  refuseAboveGit,
  workspaceRules,
} from '../../session/protect/overlap.ts';
import type { SessionRecord } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';

/**
 * For a mount of a host directory by Incus, in which coid covers nothing. Throws `unprotected-path` if it would show
 * hidden paths of the session's workspace, or make its protected paths writable.
 */
export function refuseSecondView(
  { mounts: { protect, secrets, mounts }, workspace }: SessionRecord,
  host: string,
  readonly: boolean,
): void {
  const [own, other] = [treeLocationAt(workspace), treeLocationAt(host)];
  if (!own || !other) return;
  const git = mounts.find((mount) => mount.git !== undefined);
  const common = git && protect?.mode === 'guard' ? treeLocationAt(git.source) : undefined;
  if (common) refuseAboveGit(overlapOf(common, other), { source: host, readonly });
  const inside = extraMountGuards(
    overlapOf(own, other),
    { source: host, readonly },
    workspaceRules(protect, secrets),
  );
  const [secret] = inside.secrets;
  const hint = 'Add it to the session instead: --mount, or [[mounts.default]].';
  if (secret !== undefined)
    throw mountError(
      host,
      `shows ${quoted(secret)}, which is hidden ([security] secret_paths)`,
      hint,
    );
  if (inside.readonlyGit)
    throw mountError(host, 'shows .git, which is read-only ([git] readonly)', hint);
}

/** A read-only mount protects nothing if the same directory is also in a writable one. */
export function warnOfWritableTwins(app: AppContext, mounts: readonly PlannedMount[]): void {
  if (!mounts.some(({ readonly }) => readonly)) return;
  const placed = mounts.map((mount) => ({ ...mount, place: treeLocationAt(mount.source) }));
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
