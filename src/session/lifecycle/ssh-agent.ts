// SSH agent forwarding: a proxy device, added after the terminal is open because it takes Incus a second.
import { agentUser } from '../../guest-user.ts';
import type { Incus } from '../../incus/client.ts';
import type { Device } from '../../incus/shapes.ts';
import {
  type ContainerRef,
  findByRef,
  replaceContainer,
  updateContainer,
} from '../record/change-instance.ts';

export const sshAgentDevice = 'ssh-agent';
export const sshAgentSocket = '/tmp/ssh-agent.sock';

const patchMs = 30_000;
/** One retry is enough: /tmp is swept only once. */
const attemptsMax = 2;

function sshAgentProxy(hostSocket: string): Device {
  return {
    type: 'proxy',
    bind: 'instance',
    connect: `unix:${hostSocket}`,
    listen: `unix:${sshAgentSocket}`,
    uid: String(agentUser.uid),
    gid: String(agentUser.gid),
    mode: '0600',
  };
}

export type SshAgentOutcome = 'added' | 'kept' | 'failed';

/**
 * Forwards the SSH agent to `/tmp/ssh-agent.sock` of a running container; replaces a device with another host socket. A guest
 * that sweeps /tmp during boot removes the socket, so the socket is checked and, if missing, the device is added again.
 */
export async function forwardSshAgent(
  incus: Incus,
  container: ContainerRef,
  hostSocket: string,
  signal: AbortSignal,
): Promise<SshAgentOutcome> {
  const options = { signal, timeoutMs: patchMs };
  const wanted = sshAgentProxy(hostSocket);
  const found = await findByRef(incus, container, options);
  if (!found) return 'failed';
  const present = found.instance.devices[sshAgentDevice];
  if (present && same(present, wanted) && (await hasSocket(incus, container, signal)))
    return 'kept';
  if (present) await removeSshAgent(incus, container, signal);
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    await updateContainer(incus, container, { devices: { [sshAgentDevice]: wanted } }, options);
    if (await hasSocket(incus, container, signal)) return 'added';
    await removeSshAgent(incus, container, signal);
  }
  return 'failed';
}

/** The host socket of a container's forwarded SSH agent; undefined if none is forwarded. */
export async function sshAgentHostSocket(
  incus: Incus,
  container: ContainerRef,
  signal: AbortSignal,
): Promise<string | undefined> {
  const found = await findByRef(incus, container, { signal, timeoutMs: patchMs });
  return found?.instance.devices[sshAgentDevice]?.['connect']?.replace(/^unix:/, '');
}

/** Removes the device, so that no dead socket is left; does nothing if there is none. */
export async function removeSshAgent(
  incus: Incus,
  container: ContainerRef,
  signal: AbortSignal,
): Promise<void> {
  const options = { signal, timeoutMs: patchMs };
  const found = await findByRef(incus, container, options);
  if (!found?.instance.devices[sshAgentDevice]) return;
  await replaceContainer(
    incus,
    container,
    (instance) => {
      const { [sshAgentDevice]: _gone, ...devices } = instance.devices;
      return { ...instance, devices };
    },
    options,
  );
  // Incus leaves the socket in the guest (test/lifecycle/ssh-agent.test.ts).
  if (found.instance.status === 'Running')
    await incus.execCaptured(container.name, { command: ['rm', '-f', sshAgentSocket] }, { signal });
}

async function hasSocket(
  incus: Incus,
  container: ContainerRef,
  signal: AbortSignal,
): Promise<boolean> {
  const { status } = await incus.execCaptured(
    container.name,
    { command: ['test', '-S', sshAgentSocket] },
    { signal },
  );
  return status === 0;
}

function same(one: Device, other: Device): boolean {
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].every((key) => one[key] === other[key]);
}
