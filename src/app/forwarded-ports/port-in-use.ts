// The error for a host port that is in use, with the next free one.
import { basename } from 'node:path';
import { CoiError } from '../../errors.ts';
import { isLocalPortFree } from '../../host/net/free-port.ts';
import { portHolder } from '../../host/proc/port-holder.ts';
import { keys } from '../../instance-keys.ts';
import { sessionUsingPort } from '../../session/plan/live-ports.ts';
import type { Forwarding } from '../../session/plan/ports.ts';
import { recordedPorts } from '../../session/plan/ports.ts';
import type { Container } from '../../session/record/instance-record.ts';
import { coiContainers } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';

/** Names the holder of the port and the next free port. */
export async function portInUse(
  app: AppContext,
  container: Container,
  asked: Forwarding,
  cause?: unknown,
): Promise<CoiError> {
  const [holder, free] = await Promise.all([holderText(app, asked.host), nextFree(asked.host)]);
  return new CoiError('failed', `port ${asked.host} of this host is in use${holder}`, {
    ...(free === undefined
      ? {}
      : {
          hint: `Use the next free port: coi ports add ${free}:${asked.container} ${container.name}`,
        }),
    cause,
  });
}

/** ` by …`, or empty if unknown. */
async function holderText(app: AppContext, port: number): Promise<string> {
  const instances = await (await app.incus()).instances({ signal: app.signal });
  const sessions = coiContainers(instances, app.prefix, undefined).map((container) => ({
    ...container,
    ports: container.status === 'Stopped' ? [] : portsOf(container),
  }));
  const name = sessionUsingPort(sessions, port);
  if (name !== undefined) {
    const owner = sessions.find((one) => one.name === name)?.session?.owner;
    return owner === app.user.uid ? ` by session ${name}` : " by another user's session";
  }
  const holder = portHolder(port);
  if (!holder) return '';
  if (holder.program) return ` by ${basename(holder.program)} (pid ${holder.pid})`;
  return holder.uid === app.user.uid ? '' : ` by a program of user ${holder.uid}`;
}

async function nextFree(port: number): Promise<number | undefined> {
  for (let next = port + 1; next <= Math.min(port + triesMax, 65_535); next += 1)
    if (await isLocalPortFree(next)) return next;
  return undefined;
}

/** How many ports are tried. */
const triesMax = 200;

export function portsOf({ instance }: Container): Forwarding[] {
  return recordedPorts(instance.config[keys.ports]);
}
