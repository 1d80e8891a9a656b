// Forwarded ports of a container that restarts: a port that is in use by now must not prevent the start.
import { setTimeout as delay } from 'node:timers/promises';
import { isPortFree } from '../../host/net/free-port.ts';
import type { Instance } from '../../incus/shapes.ts';
import { keys } from '../../instance-keys.ts';
import { type Forwarding, portTexts, recordedPorts } from '../../session/plan/ports.ts';
import type { AppContext } from '../context.ts';

/** Incus reports a container as stopped a moment before it closes the listeners of its ports. */
const listenersGoneMs = 3000;
const againMs = 50;

/** Warns about each port that is lost. */
export async function checkPorts(
  app: AppContext,
  { name, config }: Instance,
): Promise<{ readonly left: readonly Forwarding[]; readonly lost: readonly Forwarding[] }> {
  const [left, lost]: [Forwarding[], Forwarding[]] = [[], []];
  const untilMs = app.clock.elapsedMs() + listenersGoneMs;
  for (const port of recordedPorts(config[keys.ports])) {
    let free = await isPortFree(port.listen, port.host);
    while (!free && app.clock.elapsedMs() < untilMs) {
      await delay(againMs, undefined, { signal: app.signal });
      free = await isPortFree(port.listen, port.host);
    }
    (free ? left : lost).push(port);
  }
  for (const port of lost)
    app.report.warn(
      `port ${port.host} of this host is in use, so ${portTexts([port]).join('')} is no longer forwarded to ${name}`,
    );
  return { left, lost };
}
