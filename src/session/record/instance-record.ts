// What an instance says about itself in its `user.coi.*` keys: the only record of a session's container.
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
import { type Adopted, adopted, type Beside } from './adopted.ts';

/** `starting` until the container ran once; only what was `live` is ever finished, the rest is debris. */
export type Phase = 'starting' | 'live';

/** What containers of `coi run` have for a tool. */
export const noTool = 'none';

export interface SessionRecord {
  readonly workspace: WorkspacePath;
  /** The same without links, where that is another one. */
  readonly realWorkspace?: string | undefined;
  /** The path of the workspace inside the container. */
  readonly target: string;
  readonly slot: Slot;
  readonly tool: string;
  readonly session: SessionId;
  readonly persistent: boolean;
  readonly alias: string | undefined;
  readonly profile: string | undefined;
  /** uid on the host that the session belongs to. */
  readonly owner: number;
  readonly network: NetworkMode;
  /** What the mode means for this session; written, and read only by coid (network/policy.ts). */
  readonly policy?: PolicyRecord | undefined;
  readonly mounts: MountRecord;
  /** Its agent has the owner's own ids (`raw.idmap`), since ids cannot be mapped on one of its mounts. */
  readonly ownIds?: true | undefined;
  /** What --mount gave it, as asked-mounts.ts writes it. */
  readonly asked?: string | undefined;
  readonly phase: Phase;
}

const recordVersion = '1';
export const incusGenerationKey = 'volatile.uuid.generation';

/** The keys as the create call carries them. */
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

/** Reads the keys; undefined for an instance that coi did not make (or of a version it does not know). */
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

/** What was restored was stopped for it, so it is kept whatever it was when the snapshot was taken. */
function wasRestored(config: Config): boolean {
  const then = config[keys.generation];
  return then !== undefined && then !== '' && then !== config[incusGenerationKey];
}

/** One container as coi's commands see it: a session, or one that only carries the prefix. */
export interface Container {
  readonly name: ContainerName;
  readonly status: InstanceStatus;
  readonly session: SessionRecord | undefined;
  /** Where it is no session: what is known of it all the same. */
  readonly adopted?: Adopted | undefined;
  readonly instance: Instance;
}

/**
 * Those of all instances that are coi's business: of `owner`, and nobody's (undefined: everybody's). What has no record
 * is among them if it is said what is found beside it.
 */
export function coiContainers(
  instances: readonly Instance[],
  prefix: string,
  owner: number | undefined,
  beside?: Beside,
): Container[] {
  return instances
    .filter(({ name }) => name.startsWith(prefix))
    .map((instance) => containerOf(instance, beside))
    .filter(({ session, adopted: found }) => {
      if (!session && !found) return false;
      const whose = session?.owner ?? found?.owner;
      return owner === undefined || whose === owner || isNobodys({ adopted: found }, owner);
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function containerOf(instance: Instance, beside: Beside | undefined): Container {
  const { status, config } = instance;
  const name = instanceName(instance.name);
  const session = sessionRecord(config);
  if (session || !beside) return { name, status, session, instance };
  return { name, status, session, adopted: adopted(instance, beside), instance };
}

/** Only for who names it, and for root: also what root cannot look into is not known to be somebody's. */
export function isNobodys({ adopted: found }: Pick<Container, 'adopted'>, uid: number): boolean {
  return found?.owner === 'nobody' || (uid === 0 && found?.owner === 'unknown');
}

export function aliasOf({ session, adopted: found }: Container): string | undefined {
  return session?.alias ?? found?.alias;
}

export function workspaceOf({ session, adopted: found }: Container): string | undefined {
  return session?.workspace ?? found?.workspace;
}

/** Whether it stays when it has stopped. */
export function isKept({ session, adopted: found }: Container): boolean {
  return session?.persistent ?? found?.persistent ?? true;
}

/** What some session can write, of all instances: there an agent may put a link in the place of anything. */
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

/** Incus writes this moment where an instance has never been started. */
const neverUsed = '1970-01-01T00:00:00';

/** Stopped, and never run: somebody is making it just now, or a start failed. `coid` may not have marked yet what has run. */
export function isNewborn({
  status,
  last_used_at: used,
  config,
}: Pick<Instance, 'status' | 'last_used_at' | 'config'>): boolean {
  return status === 'Stopped' && config[keys.phase] !== 'live' && used.startsWith(neverUsed);
}
