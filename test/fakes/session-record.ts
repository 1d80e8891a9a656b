// Instance keys of a session's container for tests.
import type { Config } from '../../src/incus/shapes.ts';
import { parseSessionId, parseSlot, type WorkspacePath } from '../../src/names.ts';
import { recordConfig, type SessionRecord } from '../../src/session/record/instance-record.ts';

type Plain = Omit<SessionRecord, 'workspace' | 'slot' | 'session'> & {
  readonly workspace: string;
  readonly slot: number;
  readonly session: string;
};

export function sessionConfig({ workspace, slot, session, ...same }: Plain): Config {
  return recordConfig({
    ...same,
    workspace: workspace as WorkspacePath,
    slot: parseSlot(String(slot)),
    session: parseSessionId(session),
  });
}
