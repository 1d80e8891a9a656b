// Instances, their state and their snapshots.
import { segment } from './api.ts';
import type { Api } from './call.ts';
import type { Incus } from './client.ts';
import { listWithDefaults, withDefaults } from './defaults.ts';
import { retryWhileUpdating } from './retry-busy.ts';
import type { Instance, InstanceFull, InstanceState, Snapshot } from './shapes.ts';

type InstanceCalls = Pick<
  Incus,
  | 'instanceNames'
  | 'instances'
  | 'instancesWithState'
  | 'instance'
  | 'instanceState'
  | 'createInstance'
  | 'updateInstance'
  | 'replaceInstance'
  | 'changeState'
  | 'deleteInstance'
  | 'snapshots'
  | 'createSnapshot'
  | 'restoreSnapshot'
  | 'deleteSnapshot'
>;

export function instanceCalls(api: Api): InstanceCalls {
  const at = (name: string) => `/instances/${segment(name)}`;
  const snapshotAt = (name: string, snapshot: string) =>
    `${at(name)}/snapshots/${segment(snapshot)}`;
  return {
    instanceNames: async (options) => {
      const urls = await api.get<string[] | null>('/instances', options);
      return (urls ?? []).map((url) =>
        decodeURIComponent(new URL(url, 'http://incus').pathname.split('/').at(-1) ?? ''),
      );
    },
    instances: async ({ allProjects = false, ...options } = {}) => {
      const which = allProjects ? '&all-projects=true' : '';
      const found = await api.get<Instance[]>(`/instances?recursion=1${which}`, options);
      return listWithDefaults(found, withDefaults.instance);
    },
    instancesWithState: async (options) =>
      listWithDefaults(
        await api.get<InstanceFull[]>('/instances?recursion=2', options),
        withDefaults.instance,
      ),
    instance: async (name, options) => {
      const found = await api.find<Instance>(at(name), options);
      return found && { instance: withDefaults.instance(found.value), etag: found.etag };
    },
    instanceState: (name, options) => api.get<InstanceState>(`${at(name)}/state`, options),
    createInstance: (request, options) => api.start('POST', '/instances', request, options),
    updateInstance: async (name, patch, options) => {
      await api.call('PATCH', at(name), patch, options);
    },
    replaceInstance: async (name, instance, options) => {
      const { architecture, config, devices, ephemeral, profiles, description } = instance;
      const body = { architecture, config, devices, ephemeral, profiles, description };
      const operation = await api.start('PUT', at(name), body, options);
      await operation.wait(options);
    },
    changeState: (name, change, options) =>
      retryWhileUpdating(async () => {
        await options?.before?.();
        return api.start('PUT', `${at(name)}/state`, change, options);
      }),
    deleteInstance: (name, options) =>
      retryWhileUpdating(async () => {
        await options?.before?.();
        return api.start('DELETE', at(name), undefined, options);
      }),
    snapshots: async (name, options) =>
      (await api.get<Snapshot[] | null>(`${at(name)}/snapshots?recursion=1`, options)) ?? [],
    createSnapshot: (name, snapshot, options) =>
      api.start('POST', `${at(name)}/snapshots`, snapshot, options),
    restoreSnapshot: (name, snapshot, options) => {
      const stateful = options?.stateful ? { stateful: true } : {};
      return api.start('PUT', at(name), { restore: snapshot, ...stateful }, options);
    },
    deleteSnapshot: (name, snapshot, options) =>
      api.start('DELETE', snapshotAt(name, snapshot), undefined, options),
  };
}
