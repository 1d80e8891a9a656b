// Which sessions live, with what they have mounted and their network modes; and the refusal of another mode beside one of
// them. No path of theirs is touched: a file system that does not answer would stop coid for everybody.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NetworkMode } from '../../coid-api/network-protocol.ts';
import { CoiError } from '../../errors.ts';
import { placesOfMount } from '../../host/fs/meta/moved-directory.ts';
import type { Instance } from '../../incus/shapes.ts';
import { type SessionRecord, sessionRecord } from '../../session/record/instance-record.ts';
import type { MountRoots } from '../mounts/mount-roots.ts';
import type { Leases } from '../reservations/leases.ts';
import type { LiveSession, SharedTree } from './workspace-mode.ts';
import { otherMode, sharing, workspaceName } from './workspace-mode.ts';

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
  const named = mounts.map(({ source, ...mount }) => ({ ...mount, path: source }));
  return [asWorkspace(realWorkspace ?? workspace), ...named];
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
    const trees = known.length > 0 ? known : [asWorkspace(workspace)];
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
  const { container, mode: theirs } = other.session;
  const isGits = other.own.git !== undefined || other.theirs.git !== undefined;
  const worktrees = isGits ? 'Two worktrees may differ, but not from the main checkout. ' : '';
  throw new CoiError(
    'network-mode',
    `${sharing(other)}, and its network is ${theirs}, not ${mode}: through the files there one would reach what only the other may`,
    {
      hint: `${worktrees}End it first (\`coi shutdown ${container}\`), or start this session with --network ${theirs}.`,
    },
  );
}

function asWorkspace(path: string): SharedTree {
  return { name: workspaceName, path, readonly: false };
}
