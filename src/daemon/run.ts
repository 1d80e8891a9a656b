// coid itself: puts its parts together, mends the mounts, serves, and watches Incus until it is told to end.
import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { leaseMs, protocolVersion, socketName } from '../coid-api/protocol.ts';
import { CoiError } from '../errors.ts';
import { groupId, listenOn, ownDirectory, removeSocket } from '../host/install/service-socket.ts';
import { Homes } from '../host/linux/accounts.ts';
import { loadAio } from '../host/linux/aio.ts';
import { UserNamespaces } from '../host/linux/id-maps.ts';
import type { Libc } from '../host/linux/libc.ts';
import { loadLibc } from '../host/linux/load-libc.ts';
import { peerOf } from '../host/linux/peer-credentials.ts';
import { rootSubordinateIds } from '../host/linux/subordinate-ids.ts';
import { type ElementWriter, openElementWriter } from '../host/net/nft-netlink.ts';
import { PatientReads } from '../host/proc/patient-read.ts';
import { LinkThreads } from '../host/proc/proc-links.ts';
import { takeLock } from '../host/process/process-lock.ts';
import { isAlive } from '../host/process/run-program.ts';
import { daemonServer } from './api/server.ts';
import { Ownership } from './cleanup/ownership.ts';
import { SetIds } from './cleanup/set-id-sweeper.ts';
import { keeperOf } from './logins/start-keeper.ts';
import { Logins } from './logins/watch.ts';
import { Baits } from './monitor/decoys.ts';
import { Monitors } from './monitor/monitors.ts';
import { MountRoots } from './mounts/mount-roots.ts';
import { MountTrees } from './mounts/mount-trees.ts';
import { RemoteFiles } from './mounts/remote-files.ts';
import { Remounts } from './mounts/remounts.ts';
import { GuardWatch } from './network/guard-counters.ts';
import { SessionGuards } from './network/guards.ts';
import { NetworkService } from './network/network-service.ts';
import type { DaemonOptions } from './options.ts';
import { guardAgain } from './protect/guard/again.ts';
import { Keeper } from './protect/workspace-guards.ts';
import { World } from './reconcile/incus-cache.ts';
import { Reconciler } from './reconcile/reconciler.ts';
import { endsOf } from './reconcile/session-notes.ts';
import { Stuck } from './reconcile/stuck.ts';
import { Deadlines } from './reconcile/time-limits.ts';
import { Leases } from './reservations/leases.ts';
import { Reservations } from './reservations/reservations.ts';
import { Claims } from './reservations/session-claims.ts';

const setIdEveryMs = 60_000;

/** Runs until the signal, as root. Throws CoiError when it cannot start: one is running, another mount namespace than incusd's. */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const { runDir, log, signal, now, pid, version } = options;
  const libc = await loadLibc();
  prepareDirectories(options);
  const lock = takeLock(libc, join(runDir, 'coid.lock'));
  if (lock.kind === 'held') throw alreadyRunning(lock.pid);
  using namespaces = new UserNamespaces(libc);
  const elements = await openElementWriter();
  const links = new LinkThreads();
  const reads = new PatientReads(await loadAio(), links);
  const {
    reservations,
    remounts,
    claims,
    network,
    guards,
    monitors,
    ownership,
    setIds,
    stuck,
    ...kept
  } = assemble(options, libc, namespaces, { elements, reads });
  const { keeper, reconciler, leases, files, roots, unusedMs, world } = kept;
  leases.load(options.elapsedMs() + unusedMs);
  roots.load();
  await keeper.load();
  ownership.load();
  setIds.load();
  // The mounts of existing sessions first, before anybody asks for anything.
  await reconciler.start();
  const startedAt = now().toISOString();
  const server = daemonServer({
    reservations,
    remounts,
    claims,
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
      ...(await reconciler.report()),
      leases: leases.all().length,
      ...guards.status(),
      guardsLeftIn: keeper.left,
      filesHeld: files.held,
    }),
    alive: () => ({ waitsForIncus: world.isWaiting }),
    peerOf: (socket) => peerOf(libc, socket),
    reserved: () => reconciler.lookWithin(unusedMs),
    released: () => reconciler.lookWithin(0),
    log,
  });
  const socketPath = join(runDir, socketName);
  await listenOn(server, socketPath, { mode: 0o660, gid: groupId('incus-admin') });
  log('info', 'serving', { pid, version, socket: socketPath });
  options.ready?.();
  await aborted(signal);
  removeSocket(socketPath);
  keeper.close();
  server.close();
  server.closeAllConnections();
  await reconciler.ended;
  await guards.end().catch((error: unknown) => log('error', 'guard-not-removed', { error }));
  elements.close();
  log('info', 'ended', { pid, ...(links.areHeld ? { held: true } : {}) });
  // An end in good order would wait for threads that wait for a container.
  if (links.areHeld) libc.exit(0);
}

function prepareDirectories({ runDir, stateDir }: DaemonOptions): void {
  ownDirectory(runDir, 0o755);
  // Of root alone: through an idmapped mount others could reach what directories above its source keep from them.
  ownDirectory(join(runDir, 'mounts'), 0o700);
  ownDirectory(join(runDir, 'leases'), 0o700);
  ownDirectory(stateDir, 0o700);
}

function assemble(
  options: DaemonOptions,
  libc: Libc,
  namespaces: UserNamespaces,
  { elements, reads }: { readonly elements: ElementWriter; readonly reads: PatientReads },
) {
  const { runDir, incus } = options;
  const unusedMs = options.leaseMs ?? leaseMs;
  const leases = new Leases(runDir);
  const world = new World(incus);
  const trees = new MountTrees(libc, namespaces, runDir);
  const files = new RemoteFiles({
    ...options,
    heldUp: (device) => trees.detach(device),
    freed: () => filesFreed(),
  });
  const roots = new MountRoots({ ...options, libc, files });
  const guards = new SessionGuards({ ...options, world, leases, roots, elements });
  const network = new NetworkService({ ...options, guards, world });
  const guardWatch = new GuardWatch({
    ...options,
    place: (name) => guards.sessions().find(({ container }) => container === name)?.port,
    questions: (hostName) => guards.dns.questions(hostName),
    denials: () => guards.denials(),
  });
  const baits = new Baits({ ...options, libc, reads });
  const informants = {
    guard: (container: string) => guardWatch.counters(container),
    touches: (container: string) => baits.touches(container),
  };
  const stuck = new Stuck({ ...options, libc, reads, files });
  const monitors = new Monitors({ ...options, libc, world, informants, baits, stuck, reads });
  const keeper = new Keeper({
    ...options,
    libc,
    files,
    holdMs: unusedMs,
    tampered: (ids, tampering) => monitors.tampered(ids, tampering),
  });
  const setIds = new SetIds({
    ...options,
    libc,
    files,
    roots,
    lookEveryMs: options.reconcileEveryMs ?? setIdEveryMs,
    found: (id, path) => monitors.setIdFound(id, path),
  });
  const parts = {
    ...options,
    libc,
    files,
    keeper,
    roots,
    setIds,
    leases,
    leaseMs: unusedMs,
    world,
    guards,
    deadlines: new Deadlines({ ...options, stuck }),
    trees,
    homes: new Homes(),
    claims: new Claims({ ...options, holdMs: unusedMs, isAlive }),
    ids: rootSubordinateIds(),
  };
  const ownership = new Ownership({ ...parts, before: (id) => setIds.settled(id) });
  const remounts = new Remounts(parts);
  const reservations = new Reservations({ ...parts, ends: endsOf(setIds, ownership) });
  const logins = new Logins({ ...options, ...keeperOf(libc, options) });
  const everyMs = options.reconcileEveryMs;
  const reconciler = new Reconciler({
    ...parts,
    remounts,
    monitors,
    ownership,
    logins,
    worked: () => [...setIds.ids(), ...ownership.ids()],
    guardAgain: (session) => guardAgain(parts, session),
    everyMs,
    serverSeen: refuseOtherNamespace,
  });
  const filesFreed = () => {
    keeper.again();
    setIds.again();
    reconciler.lookWithin(0);
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
    claims: parts.claims,
    keeper,
    reconciler,
    leases,
    files,
    roots,
    unusedMs,
    world,
  };
}

function alreadyRunning(pid: number): CoiError {
  return new CoiError('coid-failed', `coid is running already (process ${pid})`, {
    hint: 'End it with `sudo coi daemon stop`.',
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
}

/** Mounts made in another mount namespace than incusd's never reach it. Throws `coid-failed`. */
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
      "coid runs in another mount namespace than incusd, which would not see coid's mounts",
      {
        hint: 'Start it without options that make a private one (PrivateTmp, ProtectSystem, unshare, a container).',
      },
    );
  }
}
