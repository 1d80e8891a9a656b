// Whether LXC still has a process for a container of that name. Incus forgets an ephemeral container while LXC is still
// ending it; another one of the same name that starts in that moment fails ("already running", or its mounts vanish).
import { setTimeout as delay } from 'node:timers/promises';
import { readText } from './proc-file.ts';

const limitMs = 5000;
/** The kernel tells nobody when such a socket goes. */
const lookEveryMs = 10;

/** LXC listens at an abstract socket for as long as it has the container. */
export function hasLxcMonitor(unixSockets: string, container: string): boolean {
  return unixSockets.split('\n').some((line) => line.endsWith(`/${container}/command`));
}

/** Resolves when there is none, at the latest after five seconds: then the start itself says what is wrong. */
export async function untilNoLxcMonitor(container: string): Promise<void> {
  const lastMs = performance.now() + limitMs;
  const isThere = () => hasLxcMonitor(readText('/proc/net/unix') ?? '', container);
  while (isThere() && performance.now() < lastMs) await delay(lookEveryMs);
}
