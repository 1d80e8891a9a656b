// A copy of a session's container as the create call of a new session. Pure.
import type { Config, CreateInstance, Devices, Instance } from '../../incus/shapes.ts';

/**
 * The create call with the disk of another container in the place of an image. Incus takes over what the call does
 * not name: devices of the other session are masked and its keys emptied, so that nothing of its identity remains.
 */
export function forkedInstance(
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
