// The default profile of an Incus that only coi has set up: without a disk and a network card in it, neither
// `incus launch` nor `coi container launch` creates a working container. A profile that the user changed is left alone.
import type { Devices, Profile, StoragePool } from '../../incus/shapes.ts';
import { type Check, finding, ok } from '../check.ts';
import { serverState, withServer } from '../server.ts';
import { bridgeName } from './network.ts';
import { poolDescription } from './storage.ts';

const plan = "add the storage pool and the bridge to Incus's default profile";

export const defaultProfile: Check = {
  id: 'default_profile',
  title: 'Default profile',
  group: 'STORAGE',
  run: async (context) => {
    const { host, signal } = context;
    if ((await serverState(context)).kind === 'silent') {
      const known = (await host.names('/var/lib/incus/storage-pools')).length > 0;
      return finding('failed', 'Incus does not answer', {}, known ? {} : { plan });
    }
    return withServer(context, undefined, async (incus) => {
      const [profile, pools] = await Promise.all([
        incus.profile('default', { signal }),
        incus.storagePools({ signal }),
      ]);
      const missing = Object.keys(missingDevices(profile, pools));
      return missing.length === 0
        ? ok(profile === undefined ? 'Incus has no default profile' : 'complete')
        : finding('warning', `lacks ${missing.join(' and ')}`, {}, { plan });
    });
  },
  fix: async ({ incus: connect, signal }) => {
    const incus = await connect();
    const [profile, pools] = await Promise.all([
      incus.profile('default', { signal }),
      incus.storagePools({ signal }),
    ]);
    await incus.updateProfile('default', { devices: missingDevices(profile, pools) }, { signal });
  },
};

/** Devices that `incus admin init` would have added; none if the profile or the pool is not coi's. Pure. */
function missingDevices(profile: Profile | undefined, pools: readonly StoragePool[]): Devices {
  const ours =
    pools.length === 0 || pools.every(({ description }) => description === poolDescription);
  if (profile === undefined || !ours || Object.keys(profile.config).length > 0) return {};
  const { root, eth0, ...others } = profile.devices;
  if (Object.keys(others).length > 0) return {};
  return {
    ...(root ? {} : { root: { type: 'disk', path: '/', pool: pools[0]?.name ?? 'default' } }),
    ...(eth0 ? {} : { eth0: { type: 'nic', name: 'eth0', network: bridgeName } }),
  };
}
