// The plan of a session: all decisions, before any action. Pure.
import type { ReservedMount } from '../../coid-api/reserved-mount.ts';
import type { Reservation, ReserveRequest } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import { agentUser } from '../../guest-user.ts';
import type { Config, CreateInstance, Devices, Profile, StoragePool } from '../../incus/shapes.ts';
import { keys } from '../../instance-keys.ts';
import { workspaceHash } from '../../names.ts';
import { imageSource } from '../record/image-source.ts';
import { recordConfig, type SessionRecord } from '../record/instance-record.ts';
import { requestedMountsText } from '../record/requested-mounts.ts';
import { mountRequest } from './extra-mounts.ts';
import { baseConfig, dockerConfig, refuseAllowList, surfaceConfig } from './kernel-surface.ts';
import type { PlannedMount, SessionSpec } from './session-spec.ts';

/** Data from the Incus server. */
export interface ServerFacts {
  readonly defaultProfile: Profile | undefined;
  readonly pools: readonly StoragePool[] | undefined;
}

export interface SessionPlan {
  readonly spec: SessionSpec;
  readonly reserve: Omit<ReserveRequest, 'startId' | 'persistent'>;
  /** The exact body of the create call, after coid's reservation. */
  readonly instance: (reservation: Reservation) => CreateInstance;
}

export function sessionPlan(spec: SessionSpec, server: ServerFacts): SessionPlan {
  refusePrivileged(server.defaultProfile);
  refuseAllowList(server.defaultProfile, spec.surface);
  const root = rootDevice(spec, server);
  return {
    spec,
    reserve: reserveRequest(spec),
    instance: (reservation) => ({
      name: reservation.container,
      type: 'container',
      start: true,
      ephemeral: spec.disposable,
      description: `coi session in ${spec.workspace}`.slice(0, 250),
      profiles: server.defaultProfile ? ['default'] : [],
      source: imageSource(spec),
      config: {
        ...baseConfig,
        ...dockerConfig(spec.docker),
        ...hostSideConfig(spec, reservation),
        ...refreshableConfig(spec),
        ...recordConfig(record(spec, reservation)),
      },
      devices: {
        ...root,
        ...nicDevices(reservation, server.defaultProfile),
        ...diskDevices([workspaceMount(spec), ...spec.mounts], reservation.mounts),
      },
    }),
  };
}

function reserveRequest(spec: SessionSpec): SessionPlan['reserve'] {
  return {
    prefix: spec.prefix,
    hash: spec.hash ?? workspaceHash(spec.workspace),
    slot: spec.slot === undefined ? { kind: 'auto' } : { kind: 'from', slot: spec.slot },
    session: spec.session,
    workspace: spec.workspace,
    mounts: [workspaceMount(spec), ...spec.mounts].map(mountRequest),
    network: spec.network,
    ...(spec.policy ? { policy: spec.policy } : {}),
    ...(spec.protect ? { protect: spec.protect } : {}),
    ...(spec.secrets?.length ? { secrets: spec.secrets } : {}),
  };
}

/** Host side of the container: ids, and an address that is set before init runs. */
function hostSideConfig(spec: SessionSpec, reservation: Reservation): Config {
  const { idmapBase, nic, mounts, ownerUid, ownerGid } = reservation;
  const raw = [
    `lxc.net.0.ipv4.address = ${nic.address}/${nic.prefixLength}`,
    `lxc.net.0.ipv4.gateway = ${nic.gateway}`,
    ...spec.limits.raw,
  ];
  const config: Config = {
    'security.idmap.base': String(idmapBase),
    'raw.lxc': raw.join('\n'),
    [keys.nameserver]: nic.nameserver,
  };
  const ids = rawIdmap(mounts, { ownerUid, ownerGid });
  if (ids !== undefined) config['raw.idmap'] = ids;
  return config;
}

/** raw.idmap for file systems without idmapped mounts: there the owner's own ids in the container are the only option. */
export function rawIdmap(
  mounts: readonly ReservedMount[],
  { ownerUid, ownerGid }: Pick<Reservation, 'ownerUid' | 'ownerGid'>,
): string | undefined {
  if (ownerUid === 0 || !mounts.some((mount) => mount.kind === 'plain')) return undefined;
  // Root's group is never mapped.
  return `uid ${ownerUid} ${agentUser.uid}${ownerGid === 0 ? '' : `\ngid ${ownerGid} ${agentUser.gid}`}`;
}

function record(spec: SessionSpec, reservation: Reservation): SessionRecord {
  const { id, ownerUid, ownerGid, idmapBase, slot } = reservation;
  const runDir = runDirOf(reservation);
  return {
    workspace: spec.workspace,
    ...(spec.realWorkspace === undefined ? {} : { realWorkspace: spec.realWorkspace }),
    target: spec.target,
    slot,
    tool: spec.tool,
    session: spec.session,
    persistent: spec.persistent,
    alias: spec.alias,
    profile: spec.profile,
    owner: spec.owner,
    network: spec.network,
    policy: spec.policy,
    mounts: {
      id,
      runDir,
      ownerUid,
      ownerGid,
      idmapBase,
      mounts: reserveRequest(spec).mounts,
      ...(spec.protect ? { protect: spec.protect } : {}),
      ...(spec.secrets?.length ? { secrets: spec.secrets } : {}),
    },
    asked: requestedMountsText(spec.mounts) || undefined,
    phase: 'starting',
  };
}

/** `/run/coi` of `/run/coi/mounts/<id>/<name>`. */
function runDirOf({ mounts, id }: Reservation): string {
  const path = mounts[0]?.hostPath ?? '';
  const at = path.indexOf(`/mounts/${id}/`);
  if (at < 0)
    throw new CoiError('coid-failed', 'coid returned no directory for the mounts', {
      hint: 'Update coi and coid: `sudo coi setup`.',
    });
  return path.slice(0, at);
}

export function workspaceMount({
  workspace,
  target,
}: Pick<SessionRecord, 'workspace' | 'target'>): PlannedMount {
  return { name: 'workspace', source: workspace, target, readonly: false };
}

/** The mounts as devices, with the host paths that coid prepared. */
export function diskDevices(
  mounts: readonly PlannedMount[],
  made: readonly ReservedMount[],
): Devices {
  const reservedByName = new Map(made.map((mount) => [mount.name, mount]));
  const devices: Devices = {};
  for (const { name, target, readonly } of mounts) {
    const reserved = reservedByName.get(name);
    if (reserved === undefined)
      throw new CoiError('coid-failed', `coid did not create the mount ${name}`, {
        hint: 'Update coi and coid: `sudo coi setup`.',
      });
    devices[name] = {
      type: 'disk',
      source: reserved.hostPath,
      path: target,
      // Incus accepts only one of the two; coid's own mount is already read-only.
      ...(reserved.recursive ? { recursive: 'true' } : readonly ? { readonly: 'true' } : {}),
    };
  }
  return devices;
}

/** Our NIC on our bridge; all other NICs of the default profile are masked, because they have no network guard. */
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

function rootDevice(spec: SessionSpec, { defaultProfile, pools }: ServerFacts): Devices {
  const { storagePool: wanted, limits } = spec;
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

/** Keys that are updated from the current configuration when a stopped container starts again. */
export function refreshableConfig({
  limits,
  timezone,
  monitor,
  network,
  policy,
  surface,
}: Pick<
  SessionSpec,
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
