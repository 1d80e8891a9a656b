// The create call for a copy of a session's container. Pure.
import type { Config, CreateInstance, Devices, Instance } from '../../incus/shapes.ts';

/**
 * The create call with another container's disk instead of an image. Incus copies everything that the call does not set, so
 * devices of the other session are masked and its keys emptied: nothing of its identity remains.
 */
export function forkInstance(
  create: CreateInstance,
  source: Pick<Instance, 'name' | 'config' | 'devices'>,
): CreateInstance {
  const masked: Devices = {};
  for (const [name, device] of Object.entries(source.devices)) {
    const isRoot = device['type'] === 'disk' && device['path'] === '/';
    if (!isRoot) masked[name] = { type: 'none' };
  }
  const emptied: Config = {};
  for (const key of Object.keys(source.config)) {
    if (key.startsWith('user.coi.') || key === 'raw.idmap') emptied[key] = '';
  }
  return {
    ...create,
    config: { ...emptied, ...create.config },
    devices: { ...masked, ...create.devices },
    source: { type: 'copy', source: source.name, instance_only: true },
  };
}
