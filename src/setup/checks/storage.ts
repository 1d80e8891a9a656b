// The pool that containers lie on: copy-on-write, or every start copies a whole system.
import { CoiError } from '../../errors.ts';
import type { SetupHost } from '../../host/install/setup-host.ts';
import type { Incus } from '../../incus/client.ts';
import type { StoragePool } from '../../incus/shapes.ts';
import { type Check, type CheckContext, type Finding, finding, ok } from '../check.ts';
import { serverState, withServer } from '../server.ts';

const gib = 1024 ** 3;
const dataDir = '/var/lib/incus';
const poolName = 'default';
/** An image, its build and a few sessions; below it nothing is worth starting. */
const smallestGib = 10;
const largestGib = 30;
const shareOfFree = 0.4;

export type PoolPlan =
  | { readonly kind: 'btrfs'; readonly sizeGib: number }
  | { readonly kind: 'dir'; readonly why: string }
  | { readonly kind: 'none'; readonly why: string };

export interface PoolFacts {
  readonly freeBytes: number;
  /** The kernel knows btrfs, or has it as a module. */
  readonly btrfs: boolean;
  /** Loop devices can be made. */
  readonly loop: boolean;
}

/** What kind of pool a host without any gets. */
export function planPool({ freeBytes, btrfs, loop }: PoolFacts): PoolPlan {
  const freeGib = freeBytes / gib;
  if (freeGib < smallestGib)
    return {
      kind: 'none',
      why: `only ${freeGib.toFixed(1)} GiB are free at ${dataDir}, ${smallestGib} are needed`,
    };
  if (!btrfs) return { kind: 'dir', why: 'this kernel has no btrfs' };
  if (!loop) return { kind: 'dir', why: 'this host has no loop devices' };
  // The file is sparse, so a pool may promise more than a full disk leaves; 40 % is what it may take.
  return {
    kind: 'btrfs',
    sizeGib: Math.floor(Math.min(largestGib, Math.max(smallestGib, freeGib * shareOfFree))),
  };
}

const slowHint =
  'Starting a session copies its whole system on such a pool and takes many seconds; make a btrfs or zfs pool and let the default profile use it.';

export const storagePools: Check = {
  id: 'incus_storage_pools',
  title: 'Storage pool',
  group: 'STORAGE',
  run: async (context) => {
    const plan = async () => planPool(await poolFacts(context.host));
    if ((await serverState(context)).kind === 'silent') {
      // An Incus that only sleeps has its pools: then there is nothing to announce.
      const known = (await context.host.names(`${dataDir}/storage-pools`)).length > 0;
      return known
        ? finding('failed', 'Incus does not answer')
        : missingPoolFinding(await plan(), 'Incus does not answer');
    }
    return withServer(context, undefined, async (incus) => {
      const pools = await incus.storagePools({ signal: context.signal });
      const pool = await sessionPool(incus, pools);
      if (!pool) return missingPoolFinding(await plan(), 'there is none');
      // Some drivers cannot tell their size.
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
      throw new CoiError('setup-failed', `no storage pool can be made: ${plan.why}`);
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
      ? `make the storage pool "${poolName}" (btrfs, ${plan.sizeGib} GiB at most, in a file below ${dataDir}/disks)`
      : `make the storage pool "${poolName}" as plain directories, which is SLOW (${plan.why})`;
  return finding('failed', why, {}, { plan: what });
}

/** Judges the pool that sessions use. `space` is in bytes; undefined where the driver cannot tell. */
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
    return finding('failed', `${name} is in the state ${pool.status}`, details, {
      hint: `Run \`incus storage info ${pool.name}\` and read the log of Incus.`,
    });
  }
  const used = space && space.total > 0 ? space.used / space.total : 0;
  const more = `Free some with \`coi clean\`, or enlarge it: \`incus storage set ${pool.name} size=40GiB\`.`;
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

/** How a pool of ours is told from one that somebody chose. */
export const poolDescription = 'Made by coi setup';

/** Does not fall back to directories when btrfs fails unexpectedly: a slow pool would stay, and nobody would know why. */
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
    throw new CoiError('setup-failed', `Incus could not make the storage pool: ${message}`, {
      hint: `Make one by hand, then run \`coi setup\` again: incus storage create ${poolName} btrfs (or zfs, lvm; dir is slow).`,
      cause: error,
    });
  }
}

/** Below this an image cannot be built and sessions soon fail. */
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
