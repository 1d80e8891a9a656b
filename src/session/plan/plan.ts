// The plan of a session: everything decided before anything is done. Pure.
import type { ReservedMount } from '../../coid-api/reserved-mount.ts';
import type { Reservation, ReserveRequest } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import { agentUser } from '../../guest-user.ts';
import type { Config, CreateInstance, Devices, Profile, StoragePool } from '../../incus/shapes.ts';
import { keys } from '../../instance-keys.ts';
import { workspaceHash } from '../../names.ts';
import { askedText } from '../record/asked-mounts.ts';
import { imageSource } from '../record/image-source.ts';
import { recordConfig, type SessionRecord } from '../record/instance-record.ts';
import { mountRequest } from './extra-mounts.ts';
import { baseConfig, dockerConfig, refuseOtherList, surfaceConfig } from './kernel-surface.ts';
import type { PlannedMount, SessionWish } from './session-wish.ts';

/** What was read from the Incus server. */
export interface ServerFacts {
  readonly defaultProfile: Profile | undefined;
  readonly pools: readonly StoragePool[] | undefined;
}

export interface SessionPlan {
  readonly wish: SessionWish;
  readonly reserve: Omit<ReserveRequest, 'startId' | 'persistent'>;
  /** The exact body of the create call, once coid has said where. */
  readonly instance: (reservation: Reservation) => CreateInstance;
}

export function sessionPlan(wish: SessionWish, server: ServerFacts): SessionPlan {
  refusePrivileged(server.defaultProfile);
  refuseOtherList(server.defaultProfile, wish.surface);
  const root = rootDevice(wish, server);
  return {
    wish,
    reserve: reserveRequest(wish),
    instance: (reservation) => ({
      name: reservation.container,
      type: 'container',
      start: true,
      ephemeral: wish.disposable,
      description: `coi session in ${wish.workspace}`.slice(0, 250),
      profiles: server.defaultProfile ? ['default'] : [],
      source: imageSource(wish),
      config: {
        ...baseConfig,
        ...dockerConfig(wish.docker),
        ...placeConfig(wish, reservation),
        ...followingConfig(wish),
        ...recordConfig(record(wish, reservation)),
      },
      devices: {
        ...root,
        ...nicDevices(reservation, server.defaultProfile),
        ...diskDevices([workspaceMount(wish), ...wish.mounts], reservation.mounts),
      },
    }),
  };
}

function reserveRequest(wish: SessionWish): SessionPlan['reserve'] {
  return {
    prefix: wish.prefix,
    hash: wish.hash ?? workspaceHash(wish.workspace),
    slot: wish.slot === undefined ? { kind: 'auto' } : { kind: 'from', slot: wish.slot },
    session: wish.session,
    workspace: wish.workspace,
    mounts: [workspaceMount(wish), ...wish.mounts].map(mountRequest),
    network: wish.network,
    ...(wish.policy ? { policy: wish.policy } : {}),
    ...(wish.protect ? { protect: wish.protect } : {}),
    ...(wish.secrets?.length ? { secrets: wish.secrets } : {}),
  };
}

/** Where the container lives on the host: ids, and an address that is there before init runs. */
function placeConfig(wish: SessionWish, reservation: Reservation): Config {
  const { idmapBase, nic, mounts, ownerUid, ownerGid } = reservation;
  const raw = [
    `lxc.net.0.ipv4.address = ${nic.address}/${nic.prefixLength}`,
    `lxc.net.0.ipv4.gateway = ${nic.gateway}`,
    ...wish.limits.raw,
  ];
  const config: Config = {
    'security.idmap.base': String(idmapBase),
    'raw.lxc': raw.join('\n'),
    [keys.nameserver]: nic.nameserver,
  };
  const ids = plainIds(mounts, { ownerUid, ownerGid });
  if (ids !== undefined) config['raw.idmap'] = ids;
  return config;
}

/** A file system that cannot be idmapped: the owner's own ids inside the container are the only way left. */
export function plainIds(
  mounts: readonly ReservedMount[],
  { ownerUid, ownerGid }: Pick<Reservation, 'ownerUid' | 'ownerGid'>,
): string | undefined {
  if (ownerUid === 0 || !mounts.some((mount) => mount.kind === 'plain')) return undefined;
  // What belongs to root's group stays nobody's inside.
  return `uid ${ownerUid} ${agentUser.uid}${ownerGid === 0 ? '' : `\ngid ${ownerGid} ${agentUser.gid}`}`;
}

function record(wish: SessionWish, reservation: Reservation): SessionRecord {
  const { id, ownerUid, ownerGid, idmapBase, slot } = reservation;
  const runDir = runDirOf(reservation);
  return {
    workspace: wish.workspace,
    ...(wish.realWorkspace === undefined ? {} : { realWorkspace: wish.realWorkspace }),
    target: wish.target,
    slot,
    tool: wish.tool,
    session: wish.session,
    persistent: wish.persistent,
    alias: wish.alias,
    profile: wish.profile,
    owner: wish.owner,
    network: wish.network,
    policy: wish.policy,
    mounts: {
      id,
      runDir,
      ownerUid,
      ownerGid,
      idmapBase,
      mounts: reserveRequest(wish).mounts,
      ...(wish.protect ? { protect: wish.protect } : {}),
      ...(wish.secrets?.length ? { secrets: wish.secrets } : {}),
    },
    asked: askedText(wish.mounts) || undefined,
    phase: 'starting',
  };
}

/** `/run/coi` of `/run/coi/mounts/<id>/<name>`. */
function runDirOf({ mounts, id }: Reservation): string {
  const path = mounts[0]?.hostPath ?? '';
  const at = path.indexOf(`/mounts/${id}/`);
  if (at < 0)
    throw new CoiError('coid-failed', 'coid answered without a place for the mounts', {
      hint: 'Update both: `sudo coi setup`.',
    });
  return path.slice(0, at);
}

export function workspaceMount({
  workspace,
  target,
}: Pick<SessionRecord, 'workspace' | 'target'>): PlannedMount {
  return { name: 'workspace', source: workspace, target, readonly: false };
}

/** The mounts as devices, at the places that coid made for them. */
export function diskDevices(
  mounts: readonly PlannedMount[],
  made: readonly ReservedMount[],
): Devices {
  const places = new Map(made.map((mount) => [mount.name, mount]));
  const devices: Devices = {};
  for (const { name, target, readonly } of mounts) {
    const place = places.get(name);
    if (place === undefined)
      throw new CoiError('coid-failed', `coid made no mount for ${name}`, {
        hint: 'Update both: `sudo coi setup`.',
      });
    devices[name] = {
      type: 'disk',
      source: place.hostPath,
      path: target,
      // Incus takes only one of the two; the mount that coid made is read-only by itself.
      ...(place.recursive ? { recursive: 'true' } : readonly ? { readonly: 'true' } : {}),
    };
  }
  return devices;
}

/** Our NIC on our bridge; every other NIC of the default profile is masked, since nothing guards it. */
function nicDevices({ nic }: Reservation, profile: Profile | undefined): Devices {
  const devices: Devices = {};
  for (const [name, device] of Object.entries(profile?.devices ?? {})) {
    if (device['type'] === 'nic' && name !== 'eth0') devices[name] = { type: 'none' };
  }
  devices['eth0'] = {
    type: 'nic',
    network: nic.bridge,
    name: 'eth0',
    host_name: nic.hostName,
    hwaddr: nic.mac,
    'ipv4.address': nic.address,
  };
  return devices;
}

function rootDevice(wish: SessionWish, { defaultProfile, pools }: ServerFacts): Devices {
  const { storagePool: wanted, limits } = wish;
  const inherited = Object.values(defaultProfile?.devices ?? {}).find(
    (device) => device['type'] === 'disk' && device['path'] === '/',
  );
  const limited = Object.keys(limits.root).length > 0;
  if (wanted === undefined && inherited)
    return limited ? { root: { ...inherited, ...limits.root } } : {};
  const pool = wanted ?? pools?.[0]?.name;
  if (pool === undefined)
    throw new CoiError('incus-failed', 'Incus has no storage pool', {
      hint: 'Run `sudo coi setup`.',
    });
  if (pools && !pools.some(({ name }) => name === pool)) {
    throw new CoiError('config-invalid', `storage pool '${pool}' does not exist`, {
      hint: `Create it (incus storage create ${pool} btrfs) or set [container] storage_pool to one of: ${pools.map(({ name }) => name).join(', ')}.`,
    });
  }
  return { root: { type: 'disk', path: '/', pool, ...limits.root } };
}

/** Keys that follow today's configuration, also when a stopped container starts again. */
export function followingConfig({
  limits,
  timezone,
  monitor,
  network,
  policy,
  surface,
}: Pick<
  SessionWish,
  'limits' | 'timezone' | 'monitor' | 'network' | 'policy' | 'surface'
>): Config {
  return {
    ...limits.config,
    ...surfaceConfig(surface),
    'environment.TZ': timezone,
    [keys.network]: network,
    ...(policy === undefined ? {} : { [keys.policy]: JSON.stringify(policy) }),
    ...(monitor === undefined ? {} : { [keys.monitor]: monitor }),
  };
}

function refusePrivileged(profile: Profile | undefined): void {
  if (profile?.config['security.privileged'] !== 'true') return;
  throw new CoiError(
    'session-failed',
    'the Incus profile "default" makes containers privileged: root in them would be root on this host',
    {
      hint: 'Run: incus profile unset default security.privileged',
    },
  );
}
