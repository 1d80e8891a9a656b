// A private coid with sessions that are created directly, by the smallest create call that coid accepts, without coi.
import { createHash, randomUUID } from 'node:crypto';
import { watch } from 'node:fs';
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Coid, coidSocketPath, openCoid } from '../../src/coid-api/client.ts';
import type { PolicyRecord } from '../../src/coid-api/network-protocol.ts';
import type {
  MountRequest,
  ProtectRequest,
  Reservation,
  ReserveRequest,
} from '../../src/coid-api/session-protocol.ts';
import type { CapturedExec, Incus } from '../../src/incus/client.ts';
import type { Config, CreateInstance } from '../../src/incus/shapes.ts';
import { parseHash } from '../../src/names.ts';
import { testImage } from '../bed/bed.ts';
import { startCoid, type TestCoid } from '../bed/coid.ts';
import { Lifecycle } from '../bed/events.ts';
import { openRealIncus } from '../bed/incus.ts';
import { newPrefix, testPrefix } from '../bed/prefix.ts';
import { sweepInstances } from '../bed/sweep.ts';
import { sessionConfig } from '../fakes/session-record.ts';

export interface SessionOptions {
  /** Owner of the workspace, and so of the session: the tests call as root. */
  readonly uid?: number;
  readonly workspace?: string;
  readonly persistent?: boolean;
  /** Mounts besides the workspace, each at `/<name>`; git's directory elsewhere and its workspace are at their own paths. */
  readonly mounts?: readonly MountRequest[];
  readonly start?: boolean;
  /** Network policy; default: open. */
  readonly policy?: PolicyRecord;
  /** Guarded paths of the workspace; default: none. */
  readonly protect?: ProtectRequest;
  /** Hidden paths of the workspace; default: none. */
  readonly secrets?: readonly string[];
  /** Default: the test image. */
  readonly image?: string;
  /** Additional instance keys. */
  readonly config?: Config;
  /** Called when Incus has accepted the request and just begun. */
  readonly accepted?: (reservation: Reservation) => Promise<void>;
}

export interface CoidBed extends AsyncDisposable {
  readonly incus: Incus;
  readonly daemon: TestCoid;
  readonly coid: Coid;
  readonly lifecycle: Lifecycle;
  readonly prefix: string;
  /** A directory under /tmp that belongs to that user and is removed with the bed. */
  directory(uid: number): Promise<string>;
  request(workspace: string, mounts?: readonly MountRequest[]): ReserveRequest;
  /** Reserves, creates and starts a session. */
  session(options?: SessionOptions): Promise<Reservation>;
  /** A command line for the guest's shell, as the agent's user or as root. */
  sh(container: string, script: string, user?: 'agent' | 'root'): Promise<CapturedExec>;
  status(container: string): Promise<string | undefined>;
  /** Ids that have a directory of mounts. */
  mountIds(): Promise<string[]>;
  /** Resolves when that reservation's mounts are gone. */
  untilUnmounted(id: string): Promise<void>;
}

const waitLimitMs = 60_000;
/** Three thousand processes take a while on a busy machine. */
const scriptLimitMs = 120_000;

/** `env` is for the coid: COI_LEASE_MS, COI_RECONCILE_EVERY_MS. */
export async function makeCoidBed(env: Readonly<Record<string, string>> = {}): Promise<CoidBed> {
  await using undo = new AsyncDisposableStack();
  const directories: string[] = [];
  // Last of all, since mounts in them would block the removal.
  undo.defer(async () => {
    for (const path of directories) await rm(path, { recursive: true, force: true });
  });
  const incus = undo.adopt(await openRealIncus(), (client) => client.close());
  const daemon = undo.adopt(await startCoid(env), (started) => started.remove());
  const prefix = newPrefix();
  undo.defer(async () => void (await sweepInstances(incus, prefix)));
  const lifecycle = undo.use(await Lifecycle.open(incus));
  const coid = openCoid({ socketPath: coidSocketPath(daemon.env) });
  const resources = undo.move();
  const mountsDir = join(daemon.runDir, 'mounts');
  const directory = async (uid: number) => {
    const path = await mkdtemp(`/tmp/${testPrefix}-work-`);
    directories.push(path);
    await chown(path, uid, uid);
    return path;
  };
  const request: CoidBed['request'] = (workspace, mounts = []) => ({
    prefix,
    hash: parseHash(createHash('sha256').update(workspace).digest('hex').slice(0, 8)),
    slot: { kind: 'auto' },
    session: randomUUID() as string as ReserveRequest['session'],
    startId: randomUUID(),
    workspace,
    mounts: [{ name: 'workspace', source: workspace, readonly: false }, ...mounts],
    network: 'open',
  });
  return {
    ...{ incus, daemon, coid, lifecycle, prefix, directory, request },
    session: async ({
      uid = 0,
      workspace,
      persistent = false,
      mounts,
      start = true,
      policy,
      protect,
      secrets,
      image = testImage,
      config = {},
      accepted,
    } = {}) => {
      const plain = request(workspace ?? (await directory(uid)), mounts);
      const fullRequest = {
        ...plain,
        ...(policy ? { network: policy.mode, policy } : {}),
        ...(protect ? { protect } : {}),
        ...(secrets ? { secrets } : {}),
      };
      const reservation = await coid.reserve(fullRequest);
      const body = createBody(fullRequest, reservation, daemon.runDir, persistent);
      const operation = await incus.createInstance({
        ...body,
        source: { type: 'image', alias: image },
        config: { ...body.config, ...config },
        start,
      });
      await accepted?.(reservation);
      await operation.wait({ timeoutMs: waitLimitMs });
      // Created and stopped: nothing is starting it any more.
      if (!start) await coid.releaseStart(fullRequest.startId);
      return reservation;
    },
    sh: (container, script, user = 'agent') => {
      const id = user === 'agent' ? 1000 : 0;
      const command = { command: ['sh', '-c', script], user: id, group: id };
      return incus.execCaptured(container, command, { timeoutMs: scriptLimitMs });
    },
    status: async (container) => (await incus.instance(container))?.instance.status,
    mountIds: () => readdir(mountsDir),
    untilUnmounted: (id) => untilEntryGone(mountsDir, id),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

function createBody(
  asked: ReserveRequest,
  reservation: Reservation,
  runDir: string,
  persistent: boolean,
): CreateInstance {
  const { id, container, slot, ownerUid, ownerGid, idmapBase, nic, mounts } = reservation;
  const record = sessionConfig({
    workspace: asked.workspace,
    target: '/workspace',
    slot: Number(slot),
    tool: 'dummy',
    session: asked.session,
    persistent,
    alias: undefined,
    profile: undefined,
    owner: ownerUid,
    network: asked.network,
    policy: asked.policy,
    mounts: {
      ...{ id, runDir, ownerUid, ownerGid, idmapBase },
      mounts: asked.mounts,
      protect: asked.protect,
      secrets: asked.secrets,
    },
    phase: 'starting',
  });
  // The paths that git records are valid on both sides.
  const hasGit = asked.mounts.some(({ git }) => git !== undefined);
  const own = new Map(
    asked.mounts
      .filter(({ name, git }) => hasGit && (name === 'workspace' || git !== undefined))
      .map(({ name, source }) => [name, source]),
  );
  const disks = mounts.map(({ name, hostPath, recursive }) => [
    name,
    {
      type: 'disk',
      source: hostPath,
      path: own.get(name) ?? `/${name}`,
      ...(recursive ? { recursive: 'true' } : {}),
    },
  ]);
  return {
    name: container,
    type: 'container',
    source: { type: 'image', alias: testImage },
    config: {
      ...record,
      'boot.autostart': 'false',
      'security.nesting': 'true',
      'security.idmap.isolated': 'true',
      'security.idmap.base': String(idmapBase),
      'raw.lxc': `lxc.net.0.ipv4.address = ${nic.address}/${nic.prefixLength}\nlxc.net.0.ipv4.gateway = ${nic.gateway}`,
    },
    devices: {
      eth0: {
        type: 'nic',
        network: nic.bridge,
        name: 'eth0',
        host_name: nic.hostName,
        hwaddr: nic.mac,
        'ipv4.address': nic.address,
      },
      ...Object.fromEntries(disks),
    },
  };
}

/** Resolves when a directory no longer has an entry of that name. */
export function untilEntryGone(directory: string, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const watcher = watch(directory);
    const limit = setTimeout(() => {
      watcher.close();
      reject(new Error(`${directory}/${name} still exists after ${waitLimitMs} ms`));
    }, waitLimitMs);
    const look = async () => {
      if ((await readdir(directory)).includes(name)) return;
      clearTimeout(limit);
      watcher.close();
      resolve();
    };
    watcher.on('change', () => void look().catch(reject));
    void look().catch(reject);
  });
}
