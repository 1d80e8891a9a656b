// Changes to a stopped container before it starts again, so that it matches the current configuration. Pure.
import type { ReservedMount } from '../../coid-api/reserved-mount.ts';
import type { MountRequest } from '../../coid-api/session-protocol.ts';
import type { Config, Device, Devices, Instance } from '../../incus/shapes.ts';
import { keys } from '../../instance-keys.ts';
import { mountRequest } from '../plan/extra-mounts.ts';
import { dockerConfig, surfaceKeys } from '../plan/kernel-surface.ts';
import { limitKeys } from '../plan/limits.ts';
import { diskDevices, rawIdmap, refreshableConfig, workspaceMount } from '../plan/plan.ts';
import type { PlannedMount, SessionSpec } from '../plan/session-spec.ts';
import type { StoppedSession } from '../record/choose-session.ts';
import type { SessionRecord } from '../record/instance-record.ts';
import { requestedMountsText } from '../record/requested-mounts.ts';
import { sshAgentDevice } from './ssh-agent.ts';

/** The part of the session specification that applies to an existing container. */
export type RefreshSpec = Pick<
  SessionSpec,
  | 'limits'
  | 'timezone'
  | 'monitor'
  | 'network'
  | 'policy'
  | 'protect'
  | 'secrets'
  | 'docker'
  | 'surface'
  | 'tool'
  | 'persistent'
  | 'alias'
  | 'profile'
>;

export interface Refresh {
  /** Only differences; an empty value removes a key. */
  readonly config: Config;
  /** Only differences. */
  readonly devices: Devices;
  /** Devices to remove. */
  readonly gone: readonly string[];
}

/** Requests to coid for all mounts of the container. */
export function mountRequests(
  session: SessionRecord,
  mounts: readonly PlannedMount[],
): MountRequest[] {
  return [workspaceMount(session), ...mounts].map(mountRequest);
}

export function planRefresh(
  { instance, session }: Pick<StoppedSession, 'instance' | 'session'>,
  spec: RefreshSpec,
  mounts: readonly PlannedMount[],
  made: readonly ReservedMount[],
): Refresh {
  const config: Config = {
    ...emptyKeys([...limitKeys.config, ...surfaceKeys, keys.monitor]),
    ...dockerConfig(spec.docker),
    ...refreshableConfig(spec),
    'raw.lxc': rawLines(instance.config['raw.lxc'] ?? '', spec.limits.raw),
    'raw.idmap': rawIdmap(made, session.mounts) ?? '',
    [keys.persistent]: String(spec.persistent),
    [keys.tool]: spec.tool,
    [keys.mounts]: JSON.stringify({
      ...session.mounts,
      mounts: mountRequests(session, mounts),
      protect: spec.protect,
      secrets: spec.secrets,
    }),
    [keys.askedMounts]: requestedMountsText(mounts),
    ...(spec.alias === undefined ? {} : { [keys.alias]: spec.alias }),
    ...(spec.profile === undefined ? {} : { [keys.profile]: spec.profile }),
  };
  const devices: Devices = {
    ...diskDevices([workspaceMount(session), ...mounts], made),
    ...rootDevice(instance, spec.limits.root),
  };
  return {
    config: pick(config, (key, value) => (instance.config[key] ?? '') !== value),
    devices: pick(devices, (name, device) => !same(instance.devices[name], device)),
    gone: [...session.mounts.mounts.map(({ name }) => name), sshAgentDevice].filter(
      (name) => instance.devices[name] !== undefined && devices[name] === undefined,
    ),
  };
}

/** Devices that must become recursive, because otherwise they would omit coid's mounts in their sources. */
export function recursiveDevices(devices: Devices, made: readonly ReservedMount[]): Devices {
  return Object.fromEntries(
    made.flatMap(({ name, recursive }) => {
      const device = devices[name];
      if (!recursive || !device || device['recursive'] === 'true') return [];
      const { readonly: _, ...rest } = device;
      return [[name, { ...rest, recursive: 'true' }]];
    }),
  );
}

/** The root disk with exactly these limits; empty if nothing changes. */
function rootDevice({ devices, expanded_devices }: Instance, limits: Device): Devices {
  const isRoot = (device: Device) => device['type'] === 'disk' && device['path'] === '/';
  const [name, device] = Object.entries(expanded_devices).find(([, one]) => isRoot(one)) ?? [];
  if (name === undefined || device === undefined) return {};
  const known: readonly string[] = limitKeys.root;
  const wanted = { ...pick(device, (key) => !known.includes(key)), ...limits };
  return same(device, wanted) && !devices[name] ? {} : { [name]: wanted };
}

function rawLines(before: string, wanted: readonly string[]): string {
  const kept = before
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith(limitKeys.rawPrefix));
  return [...kept, ...wanted].join('\n');
}

function emptyKeys(keys: readonly string[]): Config {
  return Object.fromEntries(keys.map((key) => [key, '']));
}

function pick<T>(
  from: Readonly<Record<string, T>>,
  wanted: (key: string, value: T) => boolean,
): Record<string, T> {
  return Object.fromEntries(Object.entries(from).filter(([key, value]) => wanted(key, value)));
}

function same(one: Device | undefined, other: Device): boolean {
  const keys = new Set([...Object.keys(one ?? {}), ...Object.keys(other)]);
  return one !== undefined && [...keys].every((key) => one[key] === other[key]);
}
