// coid itself: puts its parts together, mends the mounts, serves, and watches Incus until it is told to end.
import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { CoiError } from '../errors.ts';
import { Homes } from '../host/accounts.ts';
import { UserNamespaces } from '../host/idmap.ts';
import { loadLibc } from '../host/libc.ts';
import { peerOf } from '../host/peer.ts';
import { takeLock } from '../host/process-lock.ts';
import { groupId, listenOn, ownDirectory, removeSocket } from '../host/service-socket.ts';
import { rootSubordinateIds } from '../host/subordinate-ids.ts';
import type { Incus } from '../incus/client.ts';
import { Leases } from './leases.ts';
import type { Log } from './log.ts';
import { MountTrees } from './mount-trees.ts';
import { type DaemonStatus, leaseMs, protocolVersion, socketName } from './protocol.ts';
import { Reconciler } from './reconciler.ts';
import { daemonServer } from './server.ts';
import { Service } from './service.ts';
import { World } from './world.ts';

export interface DaemonOptions {
  readonly incus: Incus;
  readonly runDir: string;
  readonly stateDir: string;
  readonly version: string;
  readonly log: Log;
  readonly now: () => Date;
  /** Monotonic. */
  readonly elapsedMs: () => number;
  /** Called once, when the socket answers. */
  readonly ready?: (() => void) | undefined;
  /** Aborted when coid has to end; sessions and their mounts stay. */
  readonly signal: AbortSignal;
  /** For tests: how long an unused reservation is kept, and a look at everything that often besides those that events cause. */
  readonly leaseMs?: number | undefined;
  readonly reconcileEveryMs?: number | undefined;
}

/** Runs until the signal. Throws CoiError when it cannot start: not root, one is running, another mount namespace than incusd's. */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const { incus, runDir, stateDir, log, signal, elapsedMs, now } = options;
  if (process.getuid?.() !== 0)
    throw new CoiError('needs-root', 'coid has to run as root', {
      hint: 'Use `sudo coi daemon start`.',
    });
  const libc = await loadLibc();
  ownDirectory(runDir, 0o755);
  // Of root alone: through an idmapped mount others could reach what directories above its source keep from them.
  ownDirectory(join(runDir, 'mounts'), 0o700);
  ownDirectory(join(runDir, 'leases'), 0o700);
  ownDirectory(stateDir, 0o700);
  const lock = takeLock(libc, join(runDir, 'coid.lock'));
  if (lock.kind === 'held')
    throw new CoiError('coid-failed', `coid is running already (process ${lock.pid})`, {
      hint: 'End it with `sudo coi daemon stop`.',
    });

  const namespaces = new UserNamespaces(libc);
  const trees = new MountTrees(libc, namespaces, runDir);
  const leases = new Leases(runDir);
  leases.load(elapsedMs() + (options.leaseMs ?? leaseMs));
  const world = new World(incus);
  const parts = {
    libc,
    world,
    trees,
    leases,
    homes: new Homes(),
    ids: rootSubordinateIds(),
    log,
    runDir,
    stateDir,
    elapsedMs,
  };
  const service = new Service({
    ...parts,
    ...(options.leaseMs === undefined ? {} : { leaseMs: options.leaseMs }),
  });
  const reconciler = new Reconciler({
    ...parts,
    incus,
    service,
    signal,
    everyMs: options.reconcileEveryMs,
    serverSeen: sameMountNamespace,
  });
  await reconciler.start();

  const startedAt = now().toISOString();
  const status = async (): Promise<DaemonStatus> => ({
    protocol: protocolVersion,
    version: options.version,
    pid: process.pid,
    startedAt,
    ...(await reconciler.report()),
    leases: leases.all().length,
  });
  const server = daemonServer({ service, status, peerOf: (socket) => peerOf(libc, socket), log });
  const socketPath = join(runDir, socketName);
  await listenOn(server, socketPath, { mode: 0o660, gid: groupId('incus-admin') });
  log('info', 'serving', { pid: process.pid, version: options.version, socket: socketPath });
  options.ready?.();
  await new Promise<void>((resolve) =>
    signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  removeSocket(socketPath);
  server.close();
  server.closeAllConnections();
  await reconciler.ended;
  namespaces.close();
  log('info', 'ended', { pid: process.pid });
}

/** Mounts made in another mount namespace than incusd's never reach it. Throws `coid-failed`. */
function sameMountNamespace(incusdPid: number): void {
  let [own, theirs] = ['', ''];
  try {
    [own, theirs] = [readlinkSync('/proc/self/ns/mnt'), readlinkSync(`/proc/${incusdPid}/ns/mnt`)];
  } catch {
    return;
  }
  if (own !== theirs) {
    throw new CoiError(
      'coid-failed',
      "coid runs in another mount namespace than incusd, which would not see coid's mounts",
      {
        hint: 'Start it without options that make a private one (PrivateTmp, ProtectSystem, unshare, a container).',
      },
    );
  }
}
