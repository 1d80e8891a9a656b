// The build container: Debian's essential packages, `sleep` as init, no network.
import { createInterface } from 'node:readline';
import { CoiError } from '../errors.ts';
import type { Incus } from '../incus/client.ts';
import type { CreateInstance, Devices } from '../incus/shapes.ts';
import { keys } from '../instance-keys.ts';
import { startOnce } from '../session/lifecycle/secret-handover.ts';
import { handoverText } from '../session/plan/environment.ts';
import type { BuildStep } from './recipe.ts';

const scriptLimitMs = 15 * 60_000;
const incusLimitMs = 5 * 60_000;
const killSignal = 9;
const environment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin',
  HOME: '/root',
  LC_ALL: 'C.UTF-8',
  DEBIAN_FRONTEND: 'noninteractive',
  DEBCONF_NONINTERACTIVE_SEEN: 'true',
  LD_PRELOAD: '/mnt/libeatmydata.so',
};

export interface BuildContainer {
  readonly incus: Incus;
  readonly name: string;
}

/** Creates the container from the base image and starts it; `input` is the host directory mounted at /mnt. */
export async function startContainer(
  { incus, name }: BuildContainer,
  fingerprint: string,
  input: string,
  pid: number,
): Promise<void> {
  const request: CreateInstance = {
    ...(await bareInstance(incus, name, fingerprint)),
    start: true,
    config: {
      'boot.autostart': 'false',
      [keys.build]: String(pid),
      // There is no init yet.
      'raw.lxc': 'lxc.init.cmd = /usr/bin/sleep infinity',
    },
  };
  request.devices = {
    ...request.devices,
    input: { type: 'disk', source: input, path: '/mnt', readonly: 'true' },
  };
  await waitForOperation(incus.createInstance(request));
}

/** Body of a create request with only a root disk. */
export async function bareInstance(
  incus: Incus,
  name: string,
  fingerprint: string,
): Promise<CreateInstance> {
  const profile = await incus.profile('default');
  const inherited = Object.entries(profile?.devices ?? {});
  const devices: Devices = {};
  for (const [device, { type }] of inherited)
    if (type === 'nic') devices[device] = { type: 'none' };
  if (!inherited.some(([, { type, path }]) => type === 'disk' && path === '/')) {
    const [pool] = await incus.storagePools();
    if (pool === undefined)
      throw new CoiError('incus-failed', 'Incus has no storage pool', {
        hint: 'Run `sudo coi setup`.',
      });
    devices['root'] = { type: 'disk', path: '/', pool: pool.name };
  }
  return {
    name,
    type: 'container',
    profiles: profile ? ['default'] : [],
    devices,
    source: { type: 'image', fingerprint },
  };
}

interface Operation {
  wait(options: { timeoutMs: number }): Promise<{ metadata: Record<string, unknown> | null }>;
}

/** Waits until the operation has ended, even after an interrupt: a half-finished one cannot be undone. */
export async function waitForOperation(
  started: Promise<Operation>,
  timeoutMs = incusLimitMs,
): Promise<Record<string, unknown> | null> {
  return (await (await started).wait({ timeoutMs })).metadata;
}

/**
 * Runs a script of guest/ as root through `runner`; each line of its output goes to `log`. Throws `image-build-failed`.
 */
export async function runScript(
  { incus, name, runner }: BuildContainer & { readonly runner: readonly string[] },
  step: BuildStep,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(scriptLimitMs)]);
  const exec = await startOnce(
    () => incus.execPiped(name, { command: runner, user: 0, group: 0 }),
    handoverText(environment, ['/bin/sh', `/mnt/guest/${step.script}`, ...step.args]),
    limit,
  );
  const kill = () => {
    exec.signal(killSignal);
    exec.close();
  };
  limit.addEventListener('abort', kill, { once: true });
  try {
    limit.throwIfAborted();
    exec.stdin.end();
    for (const stream of [exec.stdout, exec.stderr])
      createInterface({ input: stream }).on('line', log);
    const status = await exec.status;
    if (status !== 0)
      throw new CoiError('image-build-failed', `${step.script} failed with status ${status}`);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    limit.removeEventListener('abort', kill);
  }
}

export async function stopContainer({ incus, name }: BuildContainer): Promise<void> {
  await waitForOperation(incus.changeState(name, { action: 'stop', force: true }));
}

/** Stops and deletes the container, if it exists. */
export async function removeContainer({ incus, name }: BuildContainer): Promise<void> {
  const found = await incus.instance(name);
  if (found === undefined) return;
  if (found.instance.status !== 'Stopped') await stopContainer({ incus, name });
  await waitForOperation(incus.deleteInstance(name));
}
