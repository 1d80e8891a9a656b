// Checks of the storage pool and of disk space. Without copy-on-write every start copies a whole system.
import { CoiError } from '../../errors.ts';
import type { SetupHost } from '../../host/install/setup-host.ts';
import type { Incus } from '../../incus/client.ts';
import type { StoragePool } from '../../incus/shapes.ts';
import { type Check, type CheckContext, type Finding, finding, ok } from '../check.ts';
import { serverState, withServer } from '../server.ts';

const gib = 1024 ** 3;
const dataDir = '/var/lib/incus';
const poolName = 'default';
/** Minimum for an image, its build and a few sessions. */
const smallestGib = 10;
const largestGib = 30;
const shareOfFree = 0.4;

export type PoolPlan =
  | { readonly kind: 'btrfs'; readonly sizeGib: number }
  | { readonly kind: 'dir'; readonly why: string }
  | { readonly kind: 'none'; readonly why: string };

export interface PoolFacts {
  readonly freeBytes: number;
  /** The kernel supports btrfs, built in or as a module. */
  readonly btrfs: boolean;
  /** Loop devices can be created. */
  readonly loop: boolean;
}

/** Plans the pool of a host that has none. */
export function planPool({ freeBytes, btrfs, loop }: PoolFacts): PoolPlan {
  const freeGib = freeBytes / gib;
  if (freeGib < smallestGib)
    return {
      kind: 'none',
      why: `only ${freeGib.toFixed(1)} GiB are free at ${dataDir}, ${smallestGib} are needed`,
    };
  if (!btrfs) return { kind: 'dir', why: 'this kernel has no btrfs' };
  if (!loop) return { kind: 'dir', why: 'this host has no loop devices' };
  // The file is sparse, so the pool could outgrow the disk: it gets at most 40 % of the free space.
  return {
    kind: 'btrfs',
    sizeGib: Math.floor(Math.min(largestGib, Math.max(smallestGib, freeGib * shareOfFree))),
  };
}

const slowHint =
  'Create a btrfs or zfs pool and use it in the default profile: on this pool every start copies a whole system, which takes many seconds.';

export const storagePools: Check = {
  id: 'incus_storage_pools',
  title: 'Storage pool',
  group: 'STORAGE',
  run: async (context) => {
    const plan = async () => planPool(await poolFacts(context.host));
    if ((await serverState(context)).kind === 'silent') {
      // An Incus that is not running may already have pools: then there is nothing to plan.
      const known = (await context.host.names(`${dataDir}/storage-pools`)).length > 0;
      return known
        ? finding('failed', 'Incus does not answer')
        : missingPoolFinding(await plan(), 'Incus does not answer');
    }
    return withServer(context, undefined, async (incus) => {
      const pools = await incus.storagePools({ signal: context.signal });
      const pool = await sessionPool(incus, pools);
      if (!pool) return missingPoolFinding(await plan(), 'there is no storage pool');
      // Some drivers do not report their size.
      const resources = await incus
        .storageResources(pool.name, { signal: context.signal })
        .catch(() => undefined);
      return poolFinding(pool, resources?.space);
    });
  },
  fix: async (context) => {
    const incus = await context.incus();
    await context.host.run(['modprobe', 'loop'], { signal: context.signal });
    await context.host.run(['modprobe', 'btrfs'], { signal: context.signal });
    const plan = planPool(await poolFacts(context.host));
    if (plan.kind === 'none')
      throw new CoiError('setup-failed', `no storage pool can be created: ${plan.why}`);
    await createPool(context, incus, plan);
  },
};

/** The pool of the default profile's root disk, otherwise the first one. */
async function sessionPool(
  incus: Incus,
  pools: readonly StoragePool[],
): Promise<StoragePool | undefined> {
  const profile = await incus.profile('default');
  const name = Object.values(profile?.devices ?? {}).find(
    ({ type, path }) => type === 'disk' && path === '/',
  )?.['pool'];
  return pools.find((pool) => pool.name === name) ?? pools[0];
}

function missingPoolFinding(plan: PoolPlan, why: string): Finding {
  if (plan.kind === 'none')
    return finding('failed', plan.why, {}, { hint: 'Free some space and run `coi setup` again.' });
  const what =
    plan.kind === 'btrfs'
      ? `create the storage pool "${poolName}" (btrfs, ${plan.sizeGib} GiB at most, in a file below ${dataDir}/disks)`
      : `create the storage pool "${poolName}" as plain directories, which is SLOW (${plan.why})`;
  return finding('failed', why, {}, { plan: what });
}

/** Judges the pool that sessions use. `space` is in bytes; undefined if the driver does not report it. */
export function poolFinding(
  pool: StoragePool,
  space: { used: number; total: number } | undefined,
): Finding {
  const free = space && space.total > 0 ? space.total - space.used : undefined;
  const details = {
    pool: pool.name,
    driver: pool.driver,
    ...(space ? { usedBytes: space.used, totalBytes: space.total } : {}),
  };
  const name = `"${pool.name}" (${pool.driver}${free === undefined ? '' : `, ${(free / gib).toFixed(1)} GiB free`})`;
  if (pool.status !== 'Created' && pool.status !== '') {
    return finding('failed', `${name} has the status ${pool.status}`, details, {
      hint: `Run \`incus storage info ${pool.name}\` and see the log of Incus.`,
    });
  }
  const used = space && space.total > 0 ? space.used / space.total : 0;
  const more = `Free some space with \`coi clean\`, or enlarge it: \`incus storage set ${pool.name} size=40GiB\`.`;
  if ((free !== undefined && free < 2 * gib) || used > 0.9)
    return finding('failed', `${name} is full`, details, { hint: more });
  if ((free !== undefined && free < 5 * gib) || used > 0.8)
    return finding('warning', `${name} is nearly full`, details, { hint: more });
  if (pool.driver === 'dir')
    return finding(
      'warning',
      `${name} CANNOT COPY ON WRITE: every session starts slowly`,
      details,
      { hint: slowHint },
    );
  if (pool.driver === 'lvm' && pool.config['lvm.use_thinpool'] === 'false')
    return finding('warning', `${name} is not thinly provisioned`, details, { hint: slowHint });
  return ok(name, details);
}

async function poolFacts(host: SetupHost): Promise<PoolFacts> {
  const [freeBytes, known, release, control] = await Promise.all([
    host.freeBytes(dataDir),
    host.readText('/proc/filesystems'),
    host.readText('/proc/sys/kernel/osrelease'),
    host.kind('/dev/loop-control'),
  ]);
  const modules = `/lib/modules/${release?.trim()}/kernel`;
  const module = async (path: string) => (await host.names(`${modules}/${path}`)).length > 0;
  const btrfs = /\tbtrfs$/m.test(known ?? '') || (await module('fs/btrfs'));
  const loop = control !== 'missing' || (await module('drivers/block'));
  return { freeBytes, btrfs, loop };
}

/** Distinguishes coi's pool from one that the user created. */
export const poolDescription = 'Made by coi setup';

/** Does not fall back to directories if btrfs fails unexpectedly: the slow pool would stay, for no visible reason. */
async function createPool(
  { signal }: CheckContext,
  incus: Incus,
  plan: Exclude<PoolPlan, { kind: 'none' }>,
): Promise<void> {
  const config: Record<string, string> =
    plan.kind === 'btrfs' ? { size: `${plan.sizeGib}GiB` } : {};
  try {
    const pool = { name: poolName, driver: plan.kind, description: poolDescription, config };
    await incus.createStoragePool(pool, { signal, timeoutMs: 120_000 });
  } catch (error) {
    signal.throwIfAborted();
    const { message } = error as Error;
    throw new CoiError('setup-failed', `Incus could not create the storage pool: ${message}`, {
      hint: `Create one manually, then run \`coi setup\` again: incus storage create ${poolName} btrfs (or zfs, lvm; dir is slow).`,
      cause: error,
    });
  }
}

/** With less space images cannot be built, and sessions soon fail. */
const diskWarnBytes = 5 * gib;

export const diskSpace: Check = {
  id: 'disk_space',
  title: 'Disk space',
  group: 'STORAGE',
  run: async ({ host }) => {
    const freeBytes = await host.freeBytes(dataDir);
    const text = `${(freeBytes / gib).toFixed(1)} GiB free at ${dataDir}`;
    return freeBytes < diskWarnBytes
      ? finding('warning', text, { freeBytes }, { hint: 'Free some space.' })
      : ok(text, { freeBytes });
  },
};
