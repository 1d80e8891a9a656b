// Networks, storage pools, profiles and operations.
import { segment } from './api.ts';
import type { Api } from './call.ts';
import type { Incus } from './client.ts';
import { listWithDefaults, withDefaults } from './defaults.ts';
import type { Network, OperationData, Profile, StoragePool } from './shapes.ts';

type ResourceCalls = Pick<
  Incus,
  | 'networks'
  | 'network'
  | 'createNetwork'
  | 'updateNetwork'
  | 'storagePools'
  | 'storageResources'
  | 'createStoragePool'
  | 'profile'
  | 'profiles'
  | 'updateProfile'
  | 'operations'
>;

export function resourceCalls(api: Api): ResourceCalls {
  return {
    networks: async (options) =>
      listWithDefaults(
        await api.get<Network[]>('/networks?recursion=1', options),
        withDefaults.network,
      ),
    network: async (name, options) => {
      const found = await api.find<Network>(`/networks/${segment(name)}`, options);
      return found && withDefaults.network(found.value);
    },
    createNetwork: async (network, options) => {
      await api.call('POST', '/networks', network, options);
    },
    updateNetwork: async (name, patch, options) => {
      await api.call('PATCH', `/networks/${segment(name)}`, patch, options);
    },
    storagePools: async (options) =>
      listWithDefaults(
        await api.get<StoragePool[]>('/storage-pools?recursion=1', options),
        withDefaults.pool,
      ),
    storageResources: (pool, options) =>
      api.get(`/storage-pools/${segment(pool)}/resources`, options),
    createStoragePool: async (pool, options) => {
      await api.call('POST', '/storage-pools', pool, options);
    },
    profile: async (name, options) => {
      const found = await api.find<Profile>(`/profiles/${segment(name)}`, options);
      return found && withDefaults.profile(found.value);
    },
    updateProfile: async (name, patch, options) => {
      await api.call('PATCH', `/profiles/${segment(name)}`, patch, options);
    },
    operations: async (options) =>
      // Grouped by state.
      Object.values(
        (await api.get<Record<string, OperationData[] | null> | null>(
          '/operations?recursion=1',
          options,
        )) ?? {},
      ).flatMap((some) => some ?? []),
    profiles: async (options) =>
      listWithDefaults(
        await api.get<Profile[]>('/profiles?recursion=1', options),
        withDefaults.profile,
      ),
  };
}
