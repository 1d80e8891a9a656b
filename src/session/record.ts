// What an instance says about itself in its `user.coi.*` keys: the only record of a session's container.
import type { MountRecord, NetworkMode, PolicyRecord } from '../daemon/protocol.ts';
import type { Config, Instance, InstanceStatus } from '../incus/shapes.ts';
import { askedMountsKey } from './asked-mounts.ts';

/** `starting` until the container ran once; only what was `live` is ever finished, the rest is debris. */
export type Phase = 'starting' | 'live';

/** What containers of `coi run` have for a tool. */
export const noTool = 'none';

export interface SessionRecord {
  readonly workspace: string;
  /** The same without links, where that is another one. */
  readonly realWorkspace?: string | undefined;
  /** The path of the workspace inside the container. */
  readonly target: string;
  readonly slot: number;
  readonly tool: string;
  readonly session: string;
  readonly persistent: boolean;
  readonly alias: string | undefined;
  readonly profile: string | undefined;
  /** uid on the host that the session belongs to. */
  readonly owner: number;
  readonly network: NetworkMode;
  /** What the mode means for this session; written, and read only by coid (network/policy.ts). */
  readonly policy?: PolicyRecord | undefined;
  readonly mounts: MountRecord;
  /** What --mount gave it, as asked-mounts.ts writes it. */
  readonly asked?: string | undefined;
  readonly phase: Phase;
}

export const recordVersion = '1';
export const keyPrefix = 'user.coi.';
/**
 * Written before a snapshot of an ephemeral session: Incus's generation of the instance then. A restore brings the key
 * back, but gives the instance a new generation, and so a restored container is told from the one that was copied.
 */
export const generationKey = 'user.coi.generation';
export const incusGenerationKey = 'volatile.uuid.generation';

/** The keys as the create call carries them. */
export function recordConfig(record: SessionRecord): Config {
  const config: Config = {
    'user.coi.version': recordVersion,
    'user.coi.workspace': record.workspace,
    'user.coi.target': record.target,
    'user.coi.slot': String(record.slot),
    'user.coi.tool': record.tool,
    'user.coi.session': record.session,
    'user.coi.persistent': String(record.persistent),
    'user.coi.owner': String(record.owner),
    'user.coi.network': record.network,
    ...(record.policy ? { 'user.coi.policy': JSON.stringify(record.policy) } : {}),
    'user.coi.mounts': JSON.stringify(record.mounts),
    'user.coi.phase': record.phase,
  };
  if (record.asked) config[askedMountsKey] = record.asked;
  if (record.realWorkspace !== undefined) config['user.coi.workspace_real'] = record.realWorkspace;
  if (record.alias !== undefined) config['user.coi.alias'] = record.alias;
  if (record.profile !== undefined) config['user.coi.profile'] = record.profile;
  return config;
}

/** Reads the keys; undefined for an instance that coi did not make (or of a version it does not know). */
export function sessionRecord(config: Config): SessionRecord | undefined {
  const key = (name: string) => config[`user.coi.${name}`];
  const [workspace, session, slot, owner, mounts] = [
    key('workspace'),
    key('session'),
    Number(key('slot')),
    Number(key('owner')),
    key('mounts'),
  ];
  if (key('version') !== recordVersion || !workspace || !session || !mounts) return undefined;
  if (!Number.isInteger(slot) || !Number.isInteger(owner)) return undefined;
  const record = mountRecord(mounts);
  const network = key('network');
  if (!record || (network !== 'restricted' && network !== 'allowlist' && network !== 'open'))
    return undefined;
  const realWorkspace = key('workspace_real');
  return {
    workspace,
    ...(realWorkspace ? { realWorkspace } : {}),
    target: key('target') ?? '/workspace',
    slot,
    tool: key('tool') ?? 'claude',
    session,
    persistent: key('persistent') === 'true' || wasRestored(config),
    alias: key('alias') || undefined,
    profile: key('profile') || undefined,
    owner,
    network,
    mounts: record,
    asked: config[askedMountsKey] || undefined,
    phase: key('phase') === 'live' ? 'live' : 'starting',
  };
}

/** What was restored was stopped for it, so it is kept whatever it was when the snapshot was taken. */
function wasRestored(config: Config): boolean {
  const then = config[generationKey];
  return then !== undefined && then !== '' && then !== config[incusGenerationKey];
}

/** One container as coi's commands see it. `session` is undefined for containers that only carry the prefix. */
export interface Container {
  readonly name: string;
  readonly status: InstanceStatus;
  readonly session: SessionRecord | undefined;
  readonly instance: Instance;
}

/** Those of all instances that are coi's business: sessions of `owner` (undefined: of everybody) and whatever else carries the prefix. */
export function coiContainers(
  instances: readonly Instance[],
  prefix: string,
  owner: number | undefined,
): Container[] {
  return instances
    .map((instance) => ({
      name: instance.name,
      status: instance.status,
      session: sessionRecord(instance.config),
      instance,
    }))
    .filter(
      ({ name, session }) =>
        name.startsWith(prefix) &&
        (session === undefined || owner === undefined || session.owner === owner),
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1));
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
  return status === 'Stopped' && config['user.coi.phase'] !== 'live' && used.startsWith(neverUsed);
}
