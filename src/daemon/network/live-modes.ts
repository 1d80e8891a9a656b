// Which sessions live, with what they have mounted and their network modes; and the refusal of another mode beside one of
// them. No path of theirs is touched: a file system that does not answer would stop coid for everybody.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CoiError } from '../../errors.ts';
import { placesOfMount } from '../../host/moved-directory.ts';
import type { Instance } from '../../incus/shapes.ts';
import { type SessionRecord, sessionRecord } from '../../session/record.ts';
import type { Leases } from '../leases.ts';
import type { MountRoots } from '../mount-roots.ts';
import type { NetworkMode } from '../protocol.ts';
import { type LiveSession, otherMode, type SharedTree } from './workspace-mode.ts';

export interface LiveParts {
  readonly leases: Pick<Leases, 'all'>;
  readonly roots: Pick<MountRoots, 'of'>;
  readonly runDir: string;
}

/** What was mounted for a container; by the names in its record where that is not known, as of another coid's. */
export function treesOf(
  { mounts: { id, mounts }, workspace, realWorkspace }: SessionRecord,
  roots: LiveParts['roots'],
): readonly SharedTree[] {
  const known = roots.of(id);
  if (known.length > 0) return known;
  const named = mounts.map(({ source, readonly }) => ({ path: source, readonly }));
  return [{ path: realWorkspace ?? workspace, readonly: false }, ...named];
}

/** Those of another mode. */
function liveOthers(
  { leases, roots, runDir }: LiveParts,
  mode: NetworkMode,
  instances: readonly Instance[],
): LiveSession[] {
  let text: string | undefined;
  const placed = (id: string): SharedTree[] =>
    roots.of(id).map((root) => {
      text ??= readFileSync('/proc/self/mountinfo', 'latin1');
      const all = join(runDir, 'mounts');
      return { ...root, places: placesOfMount(text, all, join(all, id, root.name)) };
    });
  const running = instances.flatMap(({ name, status, config }): LiveSession[] => {
    const record = status === 'Stopped' ? undefined : sessionRecord(config);
    if (!record || record.network === mode) return [];
    const known = placed(record.mounts.id);
    const trees = known.length > 0 ? known : treesOf(record, roots);
    return [{ container: name, mode: record.network, trees }];
  });
  const reserved = leases.all().flatMap(({ reservation, workspace, policy }): LiveSession[] => {
    if (policy.mode === mode) return [];
    const known = placed(reservation.id);
    const trees = known.length > 0 ? known : [{ path: workspace, readonly: false }];
    return [{ container: reservation.container, mode: policy.mode, trees }];
  });
  return [...running, ...reserved];
}

/** Throws `network-mode` if a live session shares files with those directories and has another mode. */
export function refuseOtherMode(
  parts: LiveParts,
  instances: readonly Instance[],
  trees: readonly SharedTree[],
  mode: NetworkMode,
): void {
  const other = otherMode(trees, mode, liveOthers(parts, mode, instances));
  if (!other) return;
  throw new CoiError(
    'network-mode',
    `${other.container} shares this workspace, or a mount, and its network is ${other.mode}, not ${mode}: through the files of one, the other would reach what it may not`,
    {
      hint: `End it first (\`coi shutdown ${other.container}\`), or start this session with --network ${other.mode}.`,
    },
  );
}
