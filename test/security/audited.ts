// Waits for records in a session's audit log.
import type { Coid } from '../../src/coid-api/client.ts';
import type { AuditRecord } from '../../src/monitor/audit.ts';

/** The first matching record, existing or new; each is checked once. Rejects after some 100 s without one. */
export async function untilAudited(
  coid: Pick<Coid, 'audit'>,
  container: string,
  fits: (record: AuditRecord) => boolean,
): Promise<AuditRecord> {
  let after = 0;
  for (let attempts = 0; attempts < 20; attempts += 1) {
    const { lines, head } = await coid.audit(
      container,
      { after, waitMs: 5000 },
      { timeoutMs: 15_000 },
    );
    const found = lines.map((line) => JSON.parse(line) as AuditRecord).find(fits);
    if (found) return found;
    after = head?.seq ?? after;
  }
  throw new Error(`no such record in the log of ${container}`);
}
