// What has to change in a stopped container before it starts again, so that it is as today's configuration says. Pure.
import type { ReservedMount } from '../../coid-api/reserved-mount.ts';
import type { MountRequest } from '../../coid-api/session-protocol.ts';
import type { Config, Device, Devices, Instance } from '../../incus/shapes.ts';
import { keys } from '../../instance-keys.ts';
import { mountRequest } from '../plan/extra-mounts.ts';
import { dockerConfig, surfaceKeys } from '../plan/kernel-surface.ts';
import { limitKeys } from '../plan/limits.ts';
import { diskDevices, followingConfig, plainIds, workspaceMount } from '../plan/plan.ts';
import type { PlannedMount, SessionWish } from '../plan/session-wish.ts';
import { askedText } from '../record/asked-mounts.ts';
import type { StoppedSession } from '../record/choose-session.ts';
import type { SessionRecord } from '../record/instance-record.ts';
import { agentDevice } from './ssh-agent.ts';

/** What of the wish for a session holds for a container that is there already. */
export type RefreshWish = Pick<
  SessionWish,
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
  /** Only what differs; an empty value takes a key away. */
  readonly config: Config;
  /** Only what differs. */
  readonly devices: Devices;
  /** Devices that have to go. */
  readonly gone: readonly string[];
}

/** All mounts of the container, as coid is to make them. */
export function mountRequests(
  session: SessionRecord,
  mounts: readonly PlannedMount[],
): MountRequest[] {
  return [workspaceMount(session), ...mounts].map(mountRequest);
}

export function refresh(
  { instance, session }: Pick<StoppedSession, 'instance' | 'session'>,
  wish: RefreshWish,
  mounts: readonly PlannedMount[],
  made: readonly ReservedMount[],
): Refresh {
  const config: Config = {
    ...emptied([...limitKeys.config, ...surfaceKeys, keys.monitor]),
    ...dockerConfig(wish.docker),
    ...followingConfig(wish),
    'raw.lxc': rawLines(instance.config['raw.lxc'] ?? '', wish.limits.raw),
    'raw.idmap': plainIds(made, session.mounts) ?? '',
    [keys.persistent]: String(wish.persistent),
    [keys.tool]: wish.tool,
    [keys.mounts]: JSON.stringify({
      ...session.mounts,
      mounts: mountRequests(session, mounts),
      protect: wish.protect,
      secrets: wish.secrets,
    }),
    [keys.askedMounts]: askedText(mounts),
    ...(wish.alias === undefined ? {} : { [keys.alias]: wish.alias }),
    ...(wish.profile === undefined ? {} : { [keys.profile]: wish.profile }),
  };
  const devices: Devices = {
    ...diskDevices([workspaceMount(session), ...mounts], made),
    ...rootDevice(instance, wish.limits.root),
  };
  return {
    config: pick(config, (key, value) => (instance.config[key] ?? '') !== value),
    devices: pick(devices, (name, device) => !same(instance.devices[name], device)),
    gone: [...session.mounts.mounts.map(({ name }) => name), agentDevice].filter(
      (name) => instance.devices[name] !== undefined && devices[name] === undefined,
    ),
  };
}

/** Those of the devices that would leave out what coid has mounted in their sources, as they have to be. */
export function recursiveNow(devices: Devices, made: readonly ReservedMount[]): Devices {
  return Object.fromEntries(
    made.flatMap(({ name, recursive }) => {
      const device = devices[name];
      if (!recursive || !device || device['recursive'] === 'true') return [];
      const { readonly: _, ...rest } = device;
      return [[name, { ...rest, recursive: 'true' }]];
    }),
  );
}

/** The root disk with these limits and no others; nothing where it has its limits already, or none. */
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

function emptied(keys: readonly string[]): Config {
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
