// Waits for what a session's audit log says.
import type { Coid } from '../../src/coid-api/client.ts';
import type { AuditRecord } from '../../src/monitor/audit.ts';

/** The first record that fits, of those that are there or come; each is looked at once. Rejects after some 100 s of nothing. */
export async function untilAudited(
  coid: Pick<Coid, 'audit'>,
  container: string,
  fits: (record: AuditRecord) => boolean,
): Promise<AuditRecord> {
  let after = 0;
  for (let asked = 0; asked < 20; asked += 1) {
    const { lines, head } = await coid.audit(
      container,
      { after, waitMs: 5000 },
      { timeoutMs: 15_000 },
    );
    const found = lines.map((line) => JSON.parse(line) as AuditRecord).find(fits);
    if (found) return found;
    after = head?.seq ?? after;
  }
  throw new Error(`the log of ${container} does not say it`);
}
