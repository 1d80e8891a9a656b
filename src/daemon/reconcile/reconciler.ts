// Looks at the world when Incus says that something happened, and does what the reconciliation says.
import type { DaemonStatus } from '../../coid-api/protocol.ts';
import { type Incus, IncusError } from '../../incus/client.ts';
import type { IncusEvent } from '../../incus/shapes.ts';
import { type SessionRecord, sessionRecord } from '../../session/record/instance-record.ts';
import type { Ownership } from '../cleanup/ownership.ts';
import type { SetIds } from '../cleanup/set-id-sweeper.ts';
import type { Log } from '../log.ts';
import type { Logins } from '../logins/watch.ts';
import type { Monitors } from '../monitor/monitors.ts';
import type { MountRoots } from '../mounts/mount-roots.ts';
import type { MountTrees } from '../mounts/mount-trees.ts';
import type { RemoteFiles } from '../mounts/remote-files.ts';
import type { Remounts } from '../mounts/remounts.ts';
import type { SessionGuards } from '../network/guards.ts';
import { followProtection } from '../protect/sessions.ts';
import type { Keeper } from '../protect/workspace-guards.ts';
import type { Leases } from '../reservations/leases.ts';
import type { Claims } from '../reservations/session-claims.ts';
import { Actions } from './actions.ts';
import type { World } from './incus-cache.ts';
import { IncusWatch } from './incus-events.ts';
import { lookAfterMs } from './look-after.ts';
import { type Memory, nothingSeen, reconciliation, sourcesOf } from './plan.ts';
import type { Deadlines } from './time-limits.ts';

export interface ReconcilerParts {
  readonly incus: Incus;
  readonly world: World;
  readonly trees: MountTrees;
  readonly roots: Pick<MountRoots, 'follow' | 'settle'>;
  readonly files: Pick<RemoteFiles, 'look'>;
  /** Ids of the mounts of ended sessions on which work is left. */
  readonly worked: () => readonly string[];
  readonly leases: Leases;
  readonly guards: Pick<SessionGuards, 'follow'>;
  readonly deadlines: Pick<Deadlines, 'follow'>;
  readonly remounts: Remounts;
  readonly monitors: Monitors;
  readonly ownership: Pick<Ownership, 'follow'>;
  readonly setIds: Pick<SetIds, 'follow'>;
  readonly logins: Pick<Logins, 'follow'>;
  readonly claims: Pick<Claims, 'settled'>;
  readonly keeper: Pick<Keeper, 'release' | 'drop'>;
  /** Guards the workspace of a running session, if it is not; may throw. */
  readonly guardAgain: (session: SessionRecord) => void;
  readonly log: Log;
  readonly runDir: string;
  readonly elapsedMs: () => number;
  readonly signal: AbortSignal;
  /** Looks that often besides, for tests. */
  readonly everyMs: number | undefined;
  readonly serverSeen: (pid: number) => void;
}

const retryMs = 2000; // after a failure

export class Reconciler {
  /** Resolves when everything has ended after the signal. */
  ended: Promise<void> = Promise.resolve();
  readonly #parts: ReconcilerParts;
  readonly #watch: IncusWatch;
  readonly #actions: Actions;
  #memory: Memory = nothingSeen;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #looking: Promise<void> = Promise.resolve();
  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
    this.#actions = new Actions({ ...parts, lookWithin: (delayMs) => this.lookWithin(delayMs) });
    this.#watch = new IncusWatch({
      ...parts,
      connected: () => this.#connected(),
      lost: () => this.#lost(),
      heard: (event) => this.#hear(event),
    });
  }

  /** Connects and mends everything once if Incus answers; goes on trying in the background if it does not. */
  async start(): Promise<void> {
    const { signal, everyMs, log, world } = this.#parts;
    try {
      await this.#watch.connect();
      await this.#look();
      // Fetched here so that the first reservation finds it.
      await world.bridge().catch((error: unknown) => log('warning', 'bridge-missing', { error }));
    } catch (error) {
      if (!(error instanceof IncusError)) throw error;
      log('warning', 'incus-unreachable', { error: error.message });
    }
    this.ended = this.#watch.follow().then(() => this.#looking);
    const every = everyMs && setInterval(() => this.lookWithin(0), everyMs);
    signal.addEventListener('abort', () => {
      clearTimeout(this.#timer);
      clearInterval(every);
    });
  }

  /** Looks after at most that time; looks never overlap. */
  lookWithin(delayMs: number): void {
    const { elapsedMs, signal } = this.#parts;
    const atMs = elapsedMs() + delayMs;
    if (signal.aborted || atMs >= this.#timerAtMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    this.#timer = setTimeout(() => {
      this.#timerAtMs = Number.POSITIVE_INFINITY;
      this.#looking = this.#looking.then(() => this.#lookSafely());
    }, delayMs);
  }

  async report(): Promise<Pick<DaemonStatus, 'incus' | 'sessions' | 'bridge'>> {
    const { world, trees, runDir } = this.#parts;
    if (!this.#watch.isConnected)
      return { incus: 'waiting', sessions: trees.present().size, bridge: '' };
    const [instances, bridge] = await Promise.all([
      world.instances(),
      world.bridge().catch(() => undefined),
    ]);
    const ours = instances.filter(({ config }) => sessionRecord(config)?.mounts.runDir === runDir);
    return { incus: 'connected', sessions: ours.length, bridge: bridge?.name ?? '' };
  }

  #connected(): void {
    // Every change is heard of now, so what is fetched may be kept.
    this.#parts.world.keep(true);
    this.lookWithin(0);
  }

  #lost(): void {
    this.#parts.world.keep(false);
    // A start may be missed from here on, and with it that an end is over.
    this.#memory = { ...this.#memory, ended: new Set() };
  }

  #hear(event: IncusEvent): void {
    if (event.type !== 'lifecycle') return;
    const { action } = event.metadata;
    const { world, leases, claims } = this.#parts;
    if (action.startsWith('network-') || action.startsWith('profile-')) world.forgetBridge();
    const afterMs = lookAfterMs[action];
    if (afterMs === undefined) return;
    world.forgetInstances();
    const { instance: name = '' } = event;
    if (leases.heard(action, name) || action === 'instance-started') claims.settled(name);
    const ended = new Set(this.#memory.ended);
    if (action === 'instance-stopped' || action === 'instance-shutdown') ended.add(name);
    else if (action !== 'instance-updated') ended.delete(name);
    this.#memory = { ...this.#memory, ended };
    this.lookWithin(afterMs);
  }

  async #lookSafely(): Promise<void> {
    const { log, signal } = this.#parts;
    if (signal.aborted || !this.#watch.isConnected) return;
    try {
      await this.#look();
    } catch (error) {
      if (signal.aborted) return;
      log(error instanceof IncusError ? 'warning' : 'error', 'reconcile-failed', { error });
      this.lookWithin(retryMs);
    }
  }

  async #look(): Promise<void> {
    const { world, trees, leases, guards, monitors, log, runDir, elapsedMs } = this.#parts;
    // Leases and mounts first: a reservation that becomes a container meanwhile then is in both, or in the instances.
    const before = leases.all();
    const mounts = trees.present();
    const { ended: endedBefore } = this.#memory;
    // Two looks must be two looks: a reboot passes through Stopped in silence.
    world.forgetInstances();
    const instances = await world.instances();
    await this.#parts.files.look(sourcesOf(instances));
    monitors.reconcile(instances);
    this.#parts.deadlines.follow(instances);
    this.#parts.ownership.follow(instances);
    this.#parts.logins.follow(instances);
    this.#actions.forget(instances);
    const both = [...before, ...leases.all()];
    const known = new Map(both.map(({ reservation: { id }, expiresMs }) => [id, expiresMs]));
    this.#parts.setIds.follow(instances, new Set(known.keys()));
    this.#parts.roots.follow(instances, {
      runDir,
      mounts,
      kept: [...known.keys(), ...this.#parts.worked()],
    });
    const { actions, memory, lookAgainMs } = reconciliation(
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
      // Ends do not wait for each other, nor the next look for them.
      if (action.kind === 'finish') void this.#actions.finish(action);
      else await this.#actions.act(action);
    }
    if (lookAgainMs !== undefined) this.lookWithin(lookAgainMs);
    const unguardMs = followProtection(this.#parts, instances);
    if (unguardMs !== undefined) this.lookWithin(unguardMs);
    // Last: a guard that fails must keep neither mounts nor ends from being looked after.
    await guards.follow(instances).catch((error: unknown) => {
      log('error', 'guard-failed', { error });
      this.lookWithin(retryMs);
    });
  }
}
