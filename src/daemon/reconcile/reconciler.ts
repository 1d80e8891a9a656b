// Runs a reconcile pass after Incus events: observes the state and executes the plan.
import type { DaemonStatus } from '../../coid-api/protocol.ts';
import { type Incus, IncusError } from '../../incus/client.ts';
import type { IncusEvent } from '../../incus/shapes.ts';
import { type SessionRecord, sessionRecord } from '../../session/record/instance-record.ts';
import type { SessionWatchers } from '../attention/session-watchers.ts';
import type { Ownership } from '../cleanup/ownership.ts';
import type { SetIdSweeper } from '../cleanup/set-id-sweeper.ts';
import type { Log } from '../log.ts';
import type { LoginWatch } from '../logins/login-watch.ts';
import type { Monitors } from '../monitor/monitors.ts';
import type { MountRoots } from '../mounts/mount-roots.ts';
import type { MountTrees } from '../mounts/mount-trees.ts';
import type { RemoteFileSystems } from '../mounts/remote-file-systems.ts';
import type { Remounts } from '../mounts/remounts.ts';
import type { NetworkGuards } from '../network/network-guards.ts';
import { reconcileProtection } from '../protect/session-protection.ts';
import type { WorkspaceGuards } from '../protect/workspace-guards.ts';
import type { Leases } from '../reservations/leases.ts';
import type { StartLocks } from '../reservations/start-locks.ts';
import { Actions } from './actions.ts';
import { eventDelaysMs } from './event-delays.ts';
import type { IncusCache } from './incus-cache.ts';
import { IncusEvents } from './incus-events.ts';
import { emptyMemory, type Memory, mountSourcesOf, planReconcile } from './plan.ts';
import type { Deadlines } from './time-limits.ts';

export interface ReconcilerParts {
  readonly incus: Incus;
  readonly incusCache: IncusCache;
  readonly trees: MountTrees;
  readonly roots: Pick<MountRoots, 'reconcile' | 'updatePaths'>;
  readonly files: Pick<RemoteFileSystems, 'check'>;
  /** Mounts ids of ended sessions with unfinished cleanup. */
  readonly unfinishedIds: () => readonly string[];
  readonly leases: Leases;
  readonly guards: Pick<NetworkGuards, 'reconcile'>;
  readonly deadlines: Pick<Deadlines, 'reconcile'>;
  readonly remounts: Remounts;
  readonly monitors: Monitors;
  readonly ownership: Pick<Ownership, 'reconcile'>;
  readonly setIds: Pick<SetIdSweeper, 'reconcile'>;
  readonly logins: Pick<LoginWatch, 'reconcile'>;
  readonly sessionWatchers: Pick<SessionWatchers, 'reconcile'>;
  readonly startLocks: Pick<StartLocks, 'releaseContainer'>;
  readonly workspaceGuards: Pick<WorkspaceGuards, 'release' | 'drop'>;
  /** Guards the workspace of a running session, unless it is guarded; may throw. */
  readonly restoreGuard: (session: SessionRecord) => void;
  readonly log: Log;
  readonly runDir: string;
  readonly elapsedMs: () => number;
  readonly signal: AbortSignal;
  /** For tests: interval of additional passes. */
  readonly everyMs: number | undefined;
  readonly serverSeen: (pid: number) => void;
}

const retryMs = 2000; // after a failure

export class Reconciler {
  /** Resolves when all work has ended after the signal. */
  ended: Promise<void> = Promise.resolve();
  readonly #parts: ReconcilerParts;
  readonly #watch: IncusEvents;
  readonly #actions: Actions;
  #memory: Memory = emptyMemory;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #current: Promise<void> = Promise.resolve();
  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
    this.#actions = new Actions({
      ...parts,
      reconcileWithin: (delayMs) => this.reconcileWithin(delayMs),
    });
    this.#watch = new IncusEvents({
      ...parts,
      onConnected: () => this.#connected(),
      onLost: () => this.#lost(),
      onEvent: (event) => this.#handleEvent(event),
    });
  }

  /** Connects and runs a first pass if Incus answers; otherwise keeps trying in the background. */
  async start(): Promise<void> {
    const { signal, everyMs, log, incusCache } = this.#parts;
    try {
      await this.#watch.connect();
      await this.#reconcile();
      // Warms the cache for the first reservation.
      await incusCache
        .bridge()
        .catch((error: unknown) => log('warning', 'bridge-missing', { error }));
    } catch (error) {
      if (!(error instanceof IncusError)) throw error;
      log('warning', 'incus-unreachable', { error: error.message });
    }
    this.ended = this.#watch.run().then(() => this.#current);
    const every = everyMs && setInterval(() => this.reconcileWithin(0), everyMs);
    signal.addEventListener('abort', () => {
      clearTimeout(this.#timer);
      clearInterval(every);
    });
  }

  /** Schedules a pass within that time. Passes never overlap. */
  reconcileWithin(delayMs: number): void {
    const { elapsedMs, signal } = this.#parts;
    const atMs = elapsedMs() + delayMs;
    if (signal.aborted || atMs >= this.#timerAtMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    this.#timer = setTimeout(() => {
      this.#timerAtMs = Number.POSITIVE_INFINITY;
      this.#current = this.#current.then(() => this.#reconcileSafely());
    }, delayMs);
  }

  async status(): Promise<Pick<DaemonStatus, 'incus' | 'sessions' | 'bridge'>> {
    const { incusCache, trees, runDir } = this.#parts;
    if (!this.#watch.isConnected)
      return { incus: 'waiting', sessions: trees.mountedNames().size, bridge: '' };
    const [instances, bridge] = await Promise.all([
      incusCache.instances(),
      incusCache.bridge().catch(() => undefined),
    ]);
    const ours = instances.filter(({ config }) => sessionRecord(config)?.mounts.runDir === runDir);
    return { incus: 'connected', sessions: ours.length, bridge: bridge?.name ?? '' };
  }

  #connected(): void {
    // Events report every change now, so the cache can be used.
    this.#parts.incusCache.setEnabled(true);
    this.reconcileWithin(0);
  }

  #lost(): void {
    this.#parts.incusCache.setEnabled(false);
    // A start may be missed from here on, which would make an earlier end obsolete.
    this.#memory = { ...this.#memory, ended: new Set() };
  }

  #handleEvent(event: IncusEvent): void {
    if (event.type !== 'lifecycle') return;
    const { action } = event.metadata;
    const { incusCache, leases, startLocks } = this.#parts;
    if (action.startsWith('network-') || action.startsWith('profile-')) incusCache.forgetBridge();
    const afterMs = eventDelaysMs[action];
    if (afterMs === undefined) return;
    incusCache.forgetInstances();
    const { instance: name = '' } = event;
    if (leases.handleEvent(action, name) || action === 'instance-started')
      startLocks.releaseContainer(name);
    const ended = new Set(this.#memory.ended);
    if (action === 'instance-stopped' || action === 'instance-shutdown') ended.add(name);
    else if (action !== 'instance-updated') ended.delete(name);
    this.#memory = { ...this.#memory, ended };
    this.reconcileWithin(afterMs);
  }

  async #reconcileSafely(): Promise<void> {
    const { log, signal } = this.#parts;
    if (signal.aborted || !this.#watch.isConnected) return;
    try {
      await this.#reconcile();
    } catch (error) {
      if (signal.aborted) return;
      log(error instanceof IncusError ? 'warning' : 'error', 'reconcile-failed', { error });
      this.reconcileWithin(retryMs);
    }
  }

  async #reconcile(): Promise<void> {
    const { incusCache, trees, leases, guards, monitors, log, runDir, elapsedMs } = this.#parts;
    // Leases and mounts first: a reservation that becomes a container meanwhile is then in both lists, or in the instances.
    const before = leases.all();
    const mounts = trees.mountedNames();
    const { ended: endedBefore } = this.#memory;
    // Always fetch: a reboot passes through Stopped without an event.
    incusCache.forgetInstances();
    const instances = await incusCache.instances();
    await this.#parts.files.check(mountSourcesOf(instances));
    monitors.reconcile(instances);
    this.#parts.deadlines.reconcile(instances);
    this.#parts.ownership.reconcile(instances);
    this.#parts.logins.reconcile(instances);
    this.#parts.sessionWatchers.reconcile(instances);
    this.#actions.forget(instances);
    const both = [...before, ...leases.all()];
    const known = new Map(both.map(({ reservation: { id }, expiresMs }) => [id, expiresMs]));
    this.#parts.setIds.reconcile(instances, new Set(known.keys()));
    this.#parts.roots.reconcile(instances, {
      runDir,
      mounts,
      kept: [...known.keys(), ...this.#parts.unfinishedIds()],
    });
    const { actions, memory, nextPassMs } = planReconcile(
      {
        nowMs: elapsedMs(),
        runDir,
        instances,
        endedBefore,
        mounts,
        leases: [...known].map(([id, expiresMs]) => ({ id, expiresMs })),
      },
      this.#memory,
    );
    this.#memory = memory;
    for (const action of actions) {
      // Deletions run in parallel, and the next pass does not wait for them.
      if (action.kind === 'finish') void this.#actions.finish(action);
      else await this.#actions.execute(action);
    }
    if (nextPassMs !== undefined) this.reconcileWithin(nextPassMs);
    const unguardMs = reconcileProtection(this.#parts, instances);
    if (unguardMs !== undefined) this.reconcileWithin(unguardMs);
    // Last: a failing network guard must not prevent the other actions.
    await guards.reconcile(instances).catch((error: unknown) => {
      log('error', 'guard-failed', { error });
      this.reconcileWithin(retryMs);
    });
  }
}
