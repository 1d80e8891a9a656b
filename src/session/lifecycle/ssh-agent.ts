// The host's SSH agent in a session: a proxy device, added beside an open terminal because that takes Incus a second.
import { agentUser } from '../../guest-user.ts';
import type { Incus } from '../../incus/client.ts';
import type { Device } from '../../incus/shapes.ts';
import {
  type ContainerRef,
  findMeant,
  replaceContainer,
  updateContainer,
} from '../record/change-instance.ts';

export const agentDevice = 'ssh-agent';
export const agentSocket = '/tmp/ssh-agent.sock';

const patchMs = 30_000;
/** Adding it once more is enough: a second sweep of /tmp does not happen. */
const attemptsMax = 2;

function agentProxy(hostSocket: string): Device {
  return {
    type: 'proxy',
    bind: 'instance',
    connect: `unix:${hostSocket}`,
    listen: `unix:${agentSocket}`,
    uid: String(agentUser.uid),
    gid: String(agentUser.gid),
    mode: '0600',
  };
}

export type AgentOutcome = 'added' | 'kept' | 'failed';

/**
 * Puts the agent at `/tmp/ssh-agent.sock` of a running container: new, or instead of one with another host socket.
 * A guest that sweeps /tmp while it boots takes the socket away under Incus, so it is looked for and made once more.
 */
export async function forwardAgent(
  incus: Incus,
  container: ContainerRef,
  hostSocket: string,
  signal: AbortSignal,
): Promise<AgentOutcome> {
  const options = { signal, timeoutMs: patchMs };
  const wanted = agentProxy(hostSocket);
  const found = await findMeant(incus, container, options);
  if (!found) return 'failed';
  const present = found.instance.devices[agentDevice];
  if (present && same(present, wanted) && (await answers(incus, container, signal))) return 'kept';
  if (present) await withoutAgent(incus, container, signal);
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    await updateContainer(incus, container, { devices: { [agentDevice]: wanted } }, options);
    if (await answers(incus, container, signal)) return 'added';
    await withoutAgent(incus, container, signal);
  }
  return 'failed';
}

/** The socket on the host that a container's agent leads to; undefined where none is forwarded. */
export async function agentHostSocket(
  incus: Incus,
  container: ContainerRef,
  signal: AbortSignal,
): Promise<string | undefined> {
  const found = await findMeant(incus, container, { signal, timeoutMs: patchMs });
  return found?.instance.devices[agentDevice]?.['connect']?.replace(/^unix:/, '');
}

/** Takes the device away, so that no dead socket is left; does nothing if there is none. */
export async function withoutAgent(
  incus: Incus,
  container: ContainerRef,
  signal: AbortSignal,
): Promise<void> {
  const options = { signal, timeoutMs: patchMs };
  const found = await findMeant(incus, container, options);
  if (!found?.instance.devices[agentDevice]) return;
  await replaceContainer(
    incus,
    container,
    (instance) => {
      const { [agentDevice]: _gone, ...devices } = instance.devices;
      return { ...instance, devices };
    },
    options,
  );
  // Incus leaves the socket in the guest (test/lifecycle/ssh-agent.test.ts).
  if (found.instance.status === 'Running')
    await incus.execCaptured(container.name, { command: ['rm', '-f', agentSocket] }, { signal });
}

async function answers(
  incus: Incus,
  container: ContainerRef,
  signal: AbortSignal,
): Promise<boolean> {
  const { status } = await incus.execCaptured(
    container.name,
    { command: ['test', '-S', agentSocket] },
    { signal },
  );
  return status === 0;
}

function same(one: Device, other: Device): boolean {
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].every((key) => one[key] === other[key]);
}
