// Instance keys of a session's container for tests.
import type { MountRecord } from '../../src/coid-api/session-protocol.ts';
import type { Config } from '../../src/incus/shapes.ts';
import { parseSessionId, parseSlot, type WorkspacePath } from '../../src/names.ts';
import { recordConfig, type SessionRecord } from '../../src/session/record/instance-record.ts';

type Plain = Omit<SessionRecord, 'workspace' | 'slot' | 'session' | 'mounts'> & {
  readonly workspace: string;
  readonly slot: number;
  readonly session: string;
  readonly mounts: Partial<MountRecord>;
};

const ordinary: Plain = {
  workspace: '/w',
  target: '/workspace',
  slot: 1,
  tool: 'claude',
  session: 's',
  persistent: false,
  alias: undefined,
  profile: undefined,
  owner: 1000,
  network: 'open',
  mounts: {},
  phase: 'live',
};

const ordinaryMounts: MountRecord = {
  id: 'm',
  runDir: '/run/coi',
  ownerUid: 1000,
  ownerGid: 1000,
  idmapBase: 1_065_536,
  mounts: [],
};

/** Of a live session in slot 1 of /w with these differences. */
export function sessionConfig(differences: Partial<Plain>): Config {
  const { workspace, slot, session, mounts, ...same } = { ...ordinary, ...differences };
  return recordConfig({
    ...same,
    workspace: workspace as WorkspacePath,
    slot: parseSlot(String(slot)),
    session: parseSessionId(session),
    mounts: { ...ordinaryMounts, ...mounts },
  });
}
