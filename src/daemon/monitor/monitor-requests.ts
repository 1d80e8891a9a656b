// Handles GET /v1/monitor, /v1/monitor/<name> and /v1/audit/<name>?after=<number>&wait=<ms>.
import type { Peer } from '../../host/linux/peer-credentials.ts';
import { parseContainerName } from '../../names.ts';
import type { Monitors } from './monitors.ts';

/** Limit of a long poll; a client that tails the log then polls again. */
const auditWaitMaxMs = 25_000;

/** Throws CoiError. */
export async function answerMonitorRequest(
  monitors: Monitors,
  peer: Peer,
  url: string,
): Promise<unknown> {
  const { pathname, searchParams } = new URL(url, 'http://coid');
  const [, , noun, name] = pathname.split('/');
  if (name === undefined) return { sessions: await monitors.snapshots(peer) };
  const container = parseContainerName(decodeURIComponent(name));
  if (noun === 'monitor') return monitors.snapshot(container, peer);
  const number = (key: string, most: number) =>
    Math.min(most, Math.max(0, Math.trunc(Number(searchParams.get(key) ?? 0)) || 0));
  return monitors.audit(container, peer, {
    after: number('after', Number.MAX_SAFE_INTEGER),
    waitMs: number('wait', auditWaitMaxMs),
  });
}
