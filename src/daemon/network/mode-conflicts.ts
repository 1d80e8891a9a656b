// Refuses a network mode that differs from that of a live session with shared files. No path of a session is accessed: an
// unresponsive file system would block coid for everyone.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NetworkMode } from '../../coid-api/network-protocol.ts';
import { CoiError } from '../../errors.ts';
import { pathsOfMount } from '../../host/fs/meta/moved-directory.ts';
import type { Instance } from '../../incus/shapes.ts';
import { type SessionRecord, sessionRecord } from '../../session/record/instance-record.ts';
import type { MountRoots } from '../mounts/mount-roots.ts';
import type { Leases } from '../reservations/leases.ts';
import type { LiveSession, SharedTree } from './workspace-mode.ts';
import { describeConflict, findModeConflict, workspaceName } from './workspace-mode.ts';

export interface ModeConflictParts {
  readonly leases: Pick<Leases, 'all'>;
  readonly roots: Pick<MountRoots, 'of'>;
  readonly runDir: string;
}

/** A container's mounts; for containers of another coid, by the paths in the record. */
export function mountedTrees(
  { mounts: { id, mounts }, workspace, realWorkspace }: SessionRecord,
  roots: ModeConflictParts['roots'],
): readonly SharedTree[] {
  const known = roots.of(id);
  if (known.length > 0) return known;
  const named = mounts.map(({ source, ...mount }) => ({ ...mount, path: source }));
  return [asWorkspace(realWorkspace ?? workspace), ...named];
}

/** Live sessions with a different mode. */
function conflictingSessions(
  { leases, roots, runDir }: ModeConflictParts,
  mode: NetworkMode,
  instances: readonly Instance[],
): LiveSession[] {
  let text: string | undefined;
  const placed = (id: string): SharedTree[] =>
    roots.of(id).map((root) => {
      text ??= readFileSync('/proc/self/mountinfo', 'latin1');
      const all = join(runDir, 'mounts');
      return { ...root, currentPaths: pathsOfMount(text, all, join(all, id, root.name)) };
    });
  const running = instances.flatMap(({ name, status, config }): LiveSession[] => {
    const record = status === 'Stopped' ? undefined : sessionRecord(config);
    if (!record || record.network === mode) return [];
    const known = placed(record.mounts.id);
    const trees = known.length > 0 ? known : mountedTrees(record, roots);
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

/** Throws `network-mode` if a live session with a different mode shares files with those directories. */
export function refuseOtherMode(
  parts: ModeConflictParts,
  instances: readonly Instance[],
  trees: readonly SharedTree[],
  mode: NetworkMode,
): void {
  const other = findModeConflict(trees, mode, conflictingSessions(parts, mode, instances));
  if (!other) return;
  const { container, mode: theirs } = other.session;
  const isGits = other.own.git !== undefined || other.theirs.git !== undefined;
  const worktrees = isGits ? 'Two worktrees may differ, but not from the main checkout. ' : '';
  throw new CoiError(
    'network-mode',
    `${describeConflict(other)}, and its network is ${theirs}, not ${mode}: the shared files would let one session use the other's network`,
    {
      hint: `${worktrees}Stop it first (\`coi shutdown ${container}\`), or start this session with --network ${theirs}.`,
    },
  );
}

function asWorkspace(path: string): SharedTree {
  return { name: workspaceName, path, readonly: false };
}
