// The coid process: wires its parts, repairs mounts, serves requests and watches Incus until it has to stop.
import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { leaseMs, protocolVersion, socketName } from '../coid-api/protocol.ts';
import { CoiError } from '../errors.ts';
import {
  ensureOwnDirectory,
  groupId,
  listenOnSocket,
  removeSocket,
} from '../host/install/service-socket.ts';
import { Homes } from '../host/linux/accounts.ts';
import { loadAio } from '../host/linux/aio.ts';
import { UserNamespaces } from '../host/linux/id-maps.ts';
import type { Libc } from '../host/linux/libc.ts';
import { loadLibc } from '../host/linux/load-libc.ts';
import { peerOf } from '../host/linux/peer-credentials.ts';
import { rootSubordinateIds } from '../host/linux/subordinate-ids.ts';
import { type ElementWriter, openElementWriter } from '../host/net/nft-netlink.ts';
import { BoundedReads } from '../host/proc/bounded-read.ts';
import { LinkThreads } from '../host/proc/proc-links.ts';
import { takeLock } from '../host/process/process-lock.ts';
import { isAlive } from '../host/process/run-command.ts';
import { daemonServer } from './api/server.ts';
import { SessionWatchers } from './attention/session-watchers.ts';
import { watcherStart } from './attention/start-watcher.ts';
import { Ownership } from './cleanup/ownership.ts';
import { SetIdSweeper } from './cleanup/set-id-sweeper.ts';
import { loginSync } from './logins/login-sync.ts';
import { LoginWatch } from './logins/login-watch.ts';
import { Decoys } from './monitor/decoys.ts';
import { Monitors } from './monitor/monitors.ts';
import { MountRoots } from './mounts/mount-roots.ts';
import { MountTrees } from './mounts/mount-trees.ts';
import { RemoteFileSystems } from './mounts/remote-file-systems.ts';
import { Remounts } from './mounts/remounts.ts';
import { GuardCounterReader } from './network/guard-counters.ts';
import { NetworkGuards } from './network/network-guards.ts';
import { NetworkService } from './network/network-service.ts';
import type { DaemonOptions } from './options.ts';
import { restoreGuard } from './protect/guard/restore-guard.ts';
import { WorkspaceGuards } from './protect/workspace-guards.ts';
import { IncusCache } from './reconcile/incus-cache.ts';
import { Reconciler } from './reconcile/reconciler.ts';
import { sessionNotes } from './reconcile/session-notes.ts';
import { StuckContainers } from './reconcile/stuck.ts';
import { Deadlines } from './reconcile/time-limits.ts';
import { Leases } from './reservations/leases.ts';
import { Reservations } from './reservations/reservations.ts';
import { StartLocks } from './reservations/start-locks.ts';

const setIdIntervalMs = 60_000;

/** Runs as root until the signal. Throws CoiError if it cannot start: already running, or not in incusd's mount namespace. */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const { runDir, log, signal, now, pid, version } = options;
  const libc = await loadLibc();
  prepareDirectories(options);
  const lock = takeLock(libc, join(runDir, 'coid.lock'));
  if (lock.kind === 'held') throw alreadyRunning(lock.pid);
  using namespaces = new UserNamespaces(libc);
  const elements = await openElementWriter();
  const links = new LinkThreads();
  const reads = new BoundedReads(await loadAio(), links);
  const {
    reservations,
    remounts,
    startLocks,
    network,
    guards,
    monitors,
    ownership,
    setIds,
    stuck,
    ...kept
  } = assemble(options, libc, namespaces, { elements, reads });
  const { workspaceGuards, reconciler, leases, files, roots, unusedMs, incusCache } = kept;
  leases.load(options.elapsedMs() + unusedMs);
  roots.load();
  await workspaceGuards.load();
  ownership.load();
  setIds.load();
  // Existing sessions get their mounts before the first request.
  await reconciler.start();
  const startedAt = now().toISOString();
  const server = daemonServer({
    reservations,
    remounts,
    startLocks,
    network,
    monitors,
    ownership,
    setIds,
    stuck,
    status: async () => ({
      protocol: protocolVersion,
      version,
      pid,
      startedAt,
      ...(await reconciler.status()),
      leases: leases.all().length,
      ...guards.status(),
      guardsLeftIn: workspaceGuards.notRemoved,
      filesHeld: files.unresponsive,
    }),
    alive: () => ({ waitsForIncus: incusCache.isWaiting }),
    peerOf: (socket) => peerOf(libc, socket),
    reserved: () => reconciler.reconcileWithin(unusedMs),
    released: () => reconciler.reconcileWithin(0),
    log,
  });
  const socketPath = join(runDir, socketName);
  await listenOnSocket(server, socketPath, { mode: 0o660, gid: groupId('incus-admin') });
  log('info', 'serving', { pid, version, socket: socketPath });
  options.ready?.();
  await untilAborted(signal);
  removeSocket(socketPath);
  workspaceGuards.close();
  server.close();
  server.closeAllConnections();
  await reconciler.ended;
  await guards.end().catch((error: unknown) => log('error', 'guard-not-removed', { error }));
  elements.close();
  log('info', 'ended', { pid, ...(links.hasBlocked ? { held: true } : {}) });
  // A normal exit would wait for threads that wait for a container.
  if (links.hasBlocked) libc.exit(0);
}

function prepareDirectories({ runDir, stateDir }: DaemonOptions): void {
  ensureOwnDirectory(runDir, 0o755);
  // Only for root: an idmapped mount would bypass the permissions of the directories above its source.
  ensureOwnDirectory(join(runDir, 'mounts'), 0o700);
  ensureOwnDirectory(join(runDir, 'leases'), 0o700);
  ensureOwnDirectory(stateDir, 0o700);
}

function assemble(
  options: DaemonOptions,
  libc: Libc,
  namespaces: UserNamespaces,
  { elements, reads }: { readonly elements: ElementWriter; readonly reads: BoundedReads },
) {
  const { runDir, incus } = options;
  const unusedMs = options.leaseMs ?? leaseMs;
  const leases = new Leases(runDir);
  const incusCache = new IncusCache(incus);
  const trees = new MountTrees(libc, namespaces, runDir);
  const files = new RemoteFileSystems({
    ...options,
    onUnresponsive: (device) => trees.detach(device),
    onResponsive: () => filesFreed(),
  });
  const roots = new MountRoots({ ...options, libc, files });
  const guards = new NetworkGuards({ ...options, incusCache: incusCache, leases, roots, elements });
  const network = new NetworkService({ ...options, guards, incusCache: incusCache });
  const guardWatch = new GuardCounterReader({
    ...options,
    port: (name) => guards.sessions().find(({ container }) => container === name)?.port,
    questions: (hostName) => guards.dns.questions(hostName),
    denials: () => guards.denials(),
  });
  const decoys = new Decoys({ ...options, libc, reads });
  const sampleSources = {
    guard: (container: string) => guardWatch.counters(container),
    touches: (container: string) => decoys.touches(container),
  };
  const stuck = new StuckContainers({ ...options, libc, reads, files });
  const monitors = new Monitors({
    ...options,
    libc,
    incusCache,
    sampleSources,
    decoys,
    stuck,
    reads,
  });
  const workspaceGuards = new WorkspaceGuards({
    ...options,
    libc,
    files,
    graceMs: unusedMs,
    tampered: (ids, tampering) => monitors.tampered(ids, tampering),
  });
  const setIds = new SetIdSweeper({
    ...options,
    libc,
    files,
    roots,
    intervalMs: options.reconcileEveryMs ?? setIdIntervalMs,
    found: (id, path) => monitors.setIdFound(id, path),
  });
  const parts = {
    ...options,
    libc,
    files,
    workspaceGuards,
    roots,
    setIds,
    leases,
    leaseMs: unusedMs,
    incusCache,
    guards,
    deadlines: new Deadlines({ ...options, stuck }),
    trees,
    homes: new Homes(),
    startLocks: new StartLocks({ ...options, limitMs: unusedMs, isAlive }),
    ids: rootSubordinateIds(),
  };
  const ownership = new Ownership({ ...parts, before: (id) => setIds.sweepEnded(id) });
  const remounts = new Remounts(parts);
  const reservations = new Reservations({ ...parts, notes: sessionNotes(setIds, ownership) });
  const logins = new LoginWatch({ ...options, ...loginSync(libc, options) });
  const sessionWatchers = new SessionWatchers({ ...options, ...watcherStart(libc, options) });
  const everyMs = options.reconcileEveryMs;
  const reconciler = new Reconciler({
    ...parts,
    remounts,
    monitors,
    ownership,
    logins,
    sessionWatchers,
    unfinishedIds: () => [...setIds.ids(), ...ownership.ids()],
    restoreGuard: (session) => restoreGuard(parts, session),
    everyMs,
    serverSeen: refuseOtherNamespace,
  });
  const filesFreed = () => {
    workspaceGuards.checkAll();
    setIds.retryAll();
    reconciler.reconcileWithin(0);
  };
  return {
    reservations,
    remounts,
    network,
    guards,
    monitors,
    ownership,
    setIds,
    stuck,
    startLocks: parts.startLocks,
    workspaceGuards,
    reconciler,
    leases,
    files,
    roots,
    unusedMs,
    incusCache,
  };
}

function alreadyRunning(pid: number): CoiError {
  return new CoiError('coid-failed', `coid is already running (pid ${pid})`, {
    hint: 'Stop it with `sudo coi daemon stop`.',
  });
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
}

/** Mounts outside incusd's mount namespace never reach incusd. Throws `coid-failed`. */
function refuseOtherNamespace(incusdPid: number): void {
  let [own, theirs] = ['', ''];
  try {
    [own, theirs] = [readlinkSync('/proc/self/ns/mnt'), readlinkSync(`/proc/${incusdPid}/ns/mnt`)];
  } catch {
    return;
  }
  if (own !== theirs) {
    throw new CoiError(
      'coid-failed',
      "coid is not in incusd's mount namespace, so incusd would not see coid's mounts",
      {
        hint: 'Start coid without options that create a private namespace (PrivateTmp, ProtectSystem, unshare, a container).',
      },
    );
  }
}
