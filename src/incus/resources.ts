// Networks, storage pools, profiles and operations.
import { type Api, segment } from './api.ts';
import type { Incus } from './client.ts';
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
    networks: (options) => api.get<Network[]>('/networks?recursion=1', options),
    network: async (name, options) =>
      (await api.find<Network>(`/networks/${segment(name)}`, options))?.value,
    createNetwork: async (network, options) => {
      await api.call('POST', '/networks', network, options);
    },
    updateNetwork: async (name, patch, options) => {
      await api.call('PATCH', `/networks/${segment(name)}`, patch, options);
    },
    storagePools: async (options) =>
      // Incus says null instead of an empty list where there is no pool.
      (await api.get<StoragePool[] | null>('/storage-pools?recursion=1', options)) ?? [],
    storageResources: (pool, options) =>
      api.get(`/storage-pools/${segment(pool)}/resources`, options),
    createStoragePool: async (pool, options) => {
      await api.call('POST', '/storage-pools', pool, options);
    },
    profile: async (name, options) =>
      (await api.find<Profile>(`/profiles/${segment(name)}`, options))?.value,
    updateProfile: async (name, patch, options) => {
      await api.call('PATCH', `/profiles/${segment(name)}`, patch, options);
    },
    operations: async (options) =>
      // By their state.
      Object.values(
        await api.get<Record<string, OperationData[]>>('/operations?recursion=1', options),
      ).flat(),
    profiles: (options) => api.get<Profile[]>('/profiles?recursion=1', options),
  };
}
