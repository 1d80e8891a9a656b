// Waits until LXC has no process for a container name. Incus forgets an ephemeral container while LXC is still stopping
// it; a container of the same name that starts meanwhile fails ("already running", or its mounts disappear).
import { setTimeout as delay } from 'node:timers/promises';
import { readText } from './proc-file.ts';

const limitMs = 5000;
/** Polled: the kernel does not report when such a socket closes. */
const pollMs = 10;

/** LXC listens on an abstract socket as long as it runs the container. */
export function hasLxcMonitor(unixSockets: string, container: string): boolean {
  return unixSockets.split('\n').some((line) => line.endsWith(`/${container}/command`));
}

/** Resolves when there is none, or after five seconds; then the start itself reports the problem. */
export async function waitForNoLxcMonitor(container: string): Promise<void> {
  const lastMs = performance.now() + limitMs;
  const isThere = () => hasLxcMonitor(readText('/proc/net/unix') ?? '', container);
  while (isThere() && performance.now() < lastMs) await delay(pollMs);
}
