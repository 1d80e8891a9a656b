// The session record in the `user.coi.*` keys of an instance; there is no other record of a container.
import type { NetworkMode, PolicyRecord } from '../../coid-api/network-protocol.ts';
import type { MountRecord } from '../../coid-api/session-protocol.ts';
import type { Config, Instance, InstanceStatus } from '../../incus/shapes.ts';
import { keys } from '../../instance-keys.ts';
import {
  absoluteWorkspace,
  type ContainerName,
  instanceName,
  type SessionId,
  type Slot,
  sessionId,
  slotNumber,
  type WorkspacePath,
} from '../../names.ts';
import { type AdoptedInfo, type AdoptionSources, adoptContainer } from './adopted-container.ts';

/** `starting` until the container ran once. Only `live` sessions are finished when they end; the others are debris. */
export type Phase = 'starting' | 'live';

/** The tool of `coi run` containers. */
export const noTool = 'none';

export interface SessionRecord {
  readonly workspace: WorkspacePath;
  /** The real path of the workspace, if it differs. */
  readonly realWorkspace?: string | undefined;
  /** The path of the workspace in the container. */
  readonly target: string;
  readonly slot: Slot;
  readonly tool: string;
  readonly session: SessionId;
  readonly persistent: boolean;
  readonly alias: string | undefined;
  readonly profile: string | undefined;
  /** Host uid of the session's owner. */
  readonly owner: number;
  readonly network: NetworkMode;
  /** The policy for the mode; only coid reads it (network/policy.ts). */
  readonly policy?: PolicyRecord | undefined;
  readonly mounts: MountRecord;
  /** Its agent has the owner's own ids (`raw.idmap`), because one of its mounts cannot be idmapped. */
  readonly ownIds?: true | undefined;
  /** Its --mount mounts, as written by requested-mounts.ts. */
  readonly asked?: string | undefined;
  readonly phase: Phase;
}

const recordVersion = '1';
export const incusGenerationKey = 'volatile.uuid.generation';

/** The keys for the create call. */
export function recordConfig(record: SessionRecord): Config {
  const config: Config = {
    [keys.version]: recordVersion,
    [keys.workspace]: record.workspace,
    [keys.target]: record.target,
    [keys.slot]: String(record.slot),
    [keys.tool]: record.tool,
    [keys.session]: record.session,
    [keys.persistent]: String(record.persistent),
    [keys.owner]: String(record.owner),
    [keys.network]: record.network,
    ...(record.policy ? { [keys.policy]: JSON.stringify(record.policy) } : {}),
    [keys.mounts]: JSON.stringify(record.mounts),
    [keys.phase]: record.phase,
  };
  if (record.asked) config[keys.askedMounts] = record.asked;
  if (record.realWorkspace !== undefined) config[keys.realWorkspace] = record.realWorkspace;
  if (record.alias !== undefined) config[keys.alias] = record.alias;
  if (record.profile !== undefined) config[keys.profile] = record.profile;
  return config;
}

/** Parses the keys; undefined for an instance that coi did not create (or of an unknown version). */
export function sessionRecord(config: Config): SessionRecord | undefined {
  const [workspace, session, slot, owner, mounts] = [
    absoluteWorkspace(config[keys.workspace] ?? ''),
    sessionId(config[keys.session] ?? ''),
    slotNumber(Number(config[keys.slot])),
    Number(config[keys.owner]),
    config[keys.mounts],
  ];
  if (config[keys.version] !== recordVersion || !workspace || !session || !mounts) return undefined;
  if (slot === undefined || !Number.isInteger(owner)) return undefined;
  const record = mountRecord(mounts);
  const network = config[keys.network];
  if (!record || (network !== 'restricted' && network !== 'allowlist' && network !== 'open'))
    return undefined;
  const realWorkspace = config[keys.realWorkspace];
  return {
    workspace,
    ...(realWorkspace ? { realWorkspace } : {}),
    target: config[keys.target] ?? '/workspace',
    slot,
    tool: config[keys.tool] ?? 'claude',
    session,
    persistent: config[keys.persistent] === 'true' || wasRestored(config),
    alias: config[keys.alias] || undefined,
    profile: config[keys.profile] || undefined,
    owner,
    network,
    mounts: record,
    ...(config['raw.idmap'] ? { ownIds: true } : {}),
    asked: config[keys.askedMounts] || undefined,
    phase: config[keys.phase] === 'live' ? 'live' : 'starting',
  };
}

/** Restoring requires a stopped container, so a restored one is kept even if it was ephemeral at the snapshot. */
function wasRestored(config: Config): boolean {
  const then = config[keys.generation];
  return then !== undefined && then !== '' && then !== config[incusGenerationKey];
}

/** A container in coi's commands: a session, or one that only has the prefix. */
export interface Container {
  readonly name: ContainerName;
  readonly status: InstanceStatus;
  readonly session: SessionRecord | undefined;
  /** Known facts about a container without a session record. */
  readonly adopted?: AdoptedInfo | undefined;
  readonly instance: Instance;
}

/**
 * The instances that coi manages: those of `owner` and those without an owner (undefined: all). Containers without a record
 * are only included if `beside` is given.
 */
export function coiContainers(
  instances: readonly Instance[],
  prefix: string,
  owner: number | undefined,
  beside?: AdoptionSources,
): Container[] {
  return instances
    .filter(({ name }) => name.startsWith(prefix))
    .map((instance) => containerOf(instance, beside))
    .filter(({ session, adopted: found }) => {
      if (!session && !found) return false;
      const whose = session?.owner ?? found?.owner;
      return owner === undefined || whose === owner || isUnowned({ adopted: found }, owner);
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function containerOf(instance: Instance, beside: AdoptionSources | undefined): Container {
  const { status, config } = instance;
  const name = instanceName(instance.name);
  const session = sessionRecord(config);
  if (session || !beside) return { name, status, session, instance };
  return { name, status, session, adopted: adoptContainer(instance, beside), instance };
}

/** Whether it has no owner. For root, also if the owner is unknown, because even root cannot see the workspace. */
export function isUnowned({ adopted: found }: Pick<Container, 'adopted'>, uid: number): boolean {
  return found?.owner === 'nobody' || (uid === 0 && found?.owner === 'unknown');
}

export function aliasOf({ session, adopted: found }: Container): string | undefined {
  return session?.alias ?? found?.alias;
}

export function workspaceOf({ session, adopted: found }: Container): string | undefined {
  return session?.workspace ?? found?.workspace;
}

/** Whether it is kept when it stops. */
export function isPersistent({ session, adopted: found }: Container): boolean {
  return session?.persistent ?? found?.persistent ?? true;
}

/** All writable mount sources of all sessions: there an agent may replace anything with a link. */
export function writableSources(instances: readonly Pick<Instance, 'config'>[]): string[] {
  const mounts = instances.flatMap(({ config }) => sessionRecord(config)?.mounts.mounts ?? []);
  return [...new Set(mounts.filter(({ readonly }) => !readonly).map(({ source }) => source))];
}

function mountRecord(text: string): MountRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const record = value as Partial<MountRecord> | null;
  if (typeof record !== 'object' || record === null) return undefined;
  const numbers = [record.ownerUid, record.ownerGid, record.idmapBase];
  if (
    typeof record.id !== 'string' ||
    typeof record.runDir !== 'string' ||
    !numbers.every(Number.isInteger) ||
    !Array.isArray(record.mounts)
  )
    return undefined;
  const sound = record.mounts.every(
    (mount) =>
      typeof mount?.name === 'string' &&
      typeof mount.source === 'string' &&
      typeof mount.readonly === 'boolean',
  );
  const { protect } = record;
  const guarded =
    protect === undefined ||
    (Array.isArray(protect.paths) && protect.paths.every((path) => typeof path === 'string'));
  const { secrets } = record;
  const hidden =
    secrets === undefined ||
    (Array.isArray(secrets) && secrets.every((path) => typeof path === 'string'));
  return sound && guarded && hidden ? (record as MountRecord) : undefined;
}

/** Incus's timestamp for an instance that was never started. */
const neverUsed = '1970-01-01T00:00:00';

/** Stopped and never run: it is being created, or a start failed. Checks the timestamp too, because coid may not have set the phase yet. */
export function isNeverStarted({
  status,
  last_used_at: used,
  config,
}: Pick<Instance, 'status' | 'last_used_at' | 'config'>): boolean {
  return status === 'Stopped' && config[keys.phase] !== 'live' && used.startsWith(neverUsed);
}
