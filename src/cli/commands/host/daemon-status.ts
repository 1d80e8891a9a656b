// `coi daemon status`.
import type { DaemonStatus } from '../../../coid-api/protocol.ts';
import { CoiError } from '../../../errors.ts';
import { oneLine } from '../../../printable.ts';
import type { App } from '../../app.ts';

export async function status({ json }: { json?: boolean }, app: App): Promise<void> {
  const found = await (await app.coid()).status({ signal: app.signal });
  if (json) return app.io.printJson(found);
  for (const line of statusText(found)) app.io.print(line);
}

function statusText(status: DaemonStatus): string[] {
  return [
    `coid ${status.version} is running (pid ${status.pid}) since ${new Date(status.startedAt).toLocaleString('sv-SE')}`,
    `Incus:        ${status.incus}`,
    `Bridge:       ${status.bridge || '-'}`,
    `Sessions:     ${status.sessions}`,
    `Reservations: ${status.leases}`,
    `Guarded:      ${status.guardFailure === undefined ? status.guarded : `DEGRADED: ${oneLine(status.guardFailure)}`}`,
  ];
}

export async function statusIfRunning(app: App): Promise<DaemonStatus | undefined> {
  try {
    return await (await app.coid()).status({ signal: app.signal });
  } catch (error) {
    if (error instanceof CoiError && error.code === 'coid-unreachable') return undefined;
    throw error;
  }
}
