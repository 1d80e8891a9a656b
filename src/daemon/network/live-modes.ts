// Which sessions live, with their workspaces and network modes; and the refusal of another mode beside one of them.
import { CoiError } from '../../errors.ts';
import { withoutLinks } from '../../host/accounts.ts';
import type { Instance } from '../../incus/shapes.ts';
import { type LiveSession, otherMode } from '../../network/workspace-mode.ts';
import { sessionRecord } from '../../session/record.ts';
import type { Lease } from '../leases.ts';
import type { NetworkMode } from '../protocol.ts';

export function liveSessions(
  instances: readonly Instance[],
  leases: readonly Lease[],
): LiveSession[] {
  const running = instances.flatMap(({ name, status, config }): LiveSession[] => {
    const record = status === 'Stopped' ? undefined : sessionRecord(config);
    if (!record) return [];
    return [{ container: name, workspace: withoutLinks(record.workspace), mode: record.network }];
  });
  const reserved = leases.map(({ reservation, workspace, policy }) => ({
    container: reservation.container,
    workspace: withoutLinks(workspace),
    mode: policy.mode,
  }));
  return [...running, ...reserved];
}

/** Throws `network-mode` if one of them shares files with the workspace and has another mode. */
export function refuseOtherMode(
  workspace: string,
  mode: NetworkMode,
  live: readonly LiveSession[],
): void {
  const other = otherMode(workspace, mode, live);
  if (!other) return;
  throw new CoiError(
    'network-mode',
    `${other.container} shares this workspace and its network is ${other.mode}, not ${mode}: through the files of one, the other would reach what it may not`,
    {
      hint: `End it first (\`coi shutdown ${other.container}\`), or start this session with --network ${other.mode}.`,
    },
  );
}
