// Looks at the world when Incus says that something happened, and does what the reconciliation says.
import { type Incus, IncusError } from '../incus/client.ts';
import type { IncusEvent } from '../incus/shapes.ts';
import { updateContainer } from '../session/act.ts';
import { type SessionRecord, sessionRecord } from '../session/record.ts';
import type { Claims } from './claims.ts';
import type { Deadlines } from './deadlines.ts';
import { finish } from './finish.ts';
import { IncusWatch } from './incus-watch.ts';
import { beingMadeMs, keptWhileMade, type Leases } from './leases.ts';
import type { Log } from './log.ts';
import type { Logins } from './logins.ts';
import { lookAfterMs } from './look-after.ts';
import type { Monitors } from './monitor/monitors.ts';
import type { MountRoots } from './mount-roots.ts';
import type { MountTrees } from './mount-trees.ts';
import type { SessionGuards } from './network/guards.ts';
import type { Ownership } from './ownership.ts';
import type { Keeper } from './protect/keeper.ts';
import { followProtection } from './protect/sessions.ts';
import type { DaemonStatus } from './protocol.ts';
import {
  type Action,
  type FinishAction,
  forgetGone,
  type Memory,
  marks,
  nothingSeen,
  reconciliation,
  sourcesOf,
} from './reconcile.ts';
import type { RemoteFiles } from './remote-files.ts';
import type { Service } from './service.ts';
import type { SetIds } from './set-id.ts';
import type { World } from './world.ts';

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
  readonly service: Service;
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

/** While an operation of somebody else holds a container that is to be finished. */
const busyMs = { ended: 200, debris: 10_000 };
/** After a mark that Incus refused, as it does while a device is being added, or the source of a mount is missing. */
const markAgainMs = 5_000;
const retryMs = 2000; // after a failure

export class Reconciler {
  /** Resolves when everything has ended after the signal. */
  ended: Promise<void> = Promise.resolve();
  readonly #parts: ReconcilerParts;
  readonly #watch: IncusWatch;
  #memory: Memory = nothingSeen;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #looking: Promise<void> = Promise.resolve();
  /** Ids of the mounts of containers that are being deleted. */
  readonly #finishing = new Set<string>();
  /** What could not be restored and why, by the id of the mounts. */
  readonly #unrestored = new Map<string, string>();

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
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
    const { action, source } = event.metadata;
    const { world, leases, claims } = this.#parts;
    if (action.startsWith('network-') || action.startsWith('profile-')) world.forgetBridge();
    const afterMs = lookAfterMs[action];
    if (afterMs === undefined) return;
    world.forgetInstances();
    const name = decodeURIComponent(source.split('?')[0]?.split('/')[3] ?? '');
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
    forgetGone(this.#unrestored, instances);
    const both = [...before, ...leases.all()];
    const known = new Map(both.map(({ reservation: { id }, expiresMs }) => [id, expiresMs]));
    this.#parts.setIds.follow(instances, new Set(known.keys()));
    this.#parts.roots.follow(instances, {
      ...{ runDir, mounts },
      kept: [...known.keys(), ...this.#parts.worked()],
    });
    const { actions, memory, lookAgainMs } = reconciliation(
      {
        nowMs: elapsedMs(),
        runDir,
        ...{ instances, endedBefore, mounts },
        leases: [...known].map(([id, expiresMs]) => ({ id, expiresMs })),
      },
      this.#memory,
    );
    this.#memory = memory;
    for (const action of actions) {
      // Ends do not wait for each other, nor the next look for them.
      if (action.kind === 'finish') void this.#finish(action);
      else await this.#act(action);
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

  async #act(action: Exclude<Action, FinishAction>): Promise<void> {
    const { incus, trees, roots, leases, keeper, log, signal } = this.#parts;
    switch (action.kind) {
      case 'restore-mounts':
        this.#restore(action.name, action.session);
        return;
      case 'mark-live':
      case 'mark-kept': {
        const { kind, name, id } = action;
        const mark = updateContainer(incus, { name, mountsId: id }, marks[kind], { signal });
        return mark.catch((error: unknown) => {
          log('info', `not-${kind}`, { name, error: String(error) });
          this.lookWithin(markAgainMs);
        });
      }
      case 'drop-lease':
        leases.remove(action.id);
        return;
      case 'expire-lease':
      case 'remove-mounts': {
        const { kind, id } = action;
        if (kind === 'expire-lease' && (await keptWhileMade(this.#parts, id))) {
          this.lookWithin(beingMadeMs);
          return;
        }
        roots.settle(id);
        trees.remove(id);
        keeper.drop(id);
        log('info', kind === 'expire-lease' ? 'lease-expired' : 'mounts-removed', { id });
        if (kind === 'remove-mounts') return;
        leases.remove(id);
        this.lookWithin(0); // for what it left, which was reserved until now
        return;
      }
      default:
        action satisfies never;
    }
  }

  /** A source that is gone stays missing, so it is said once, not at every look. */
  #restore(name: string, session: SessionRecord): void {
    const { service, log } = this.#parts;
    const missing = service.restore(session).errors.map(String).join('; ');
    if (missing !== '' && this.#unrestored.get(session.mounts.id) === missing) return;
    this.#unrestored.set(session.mounts.id, missing);
    if (missing === '') log('info', 'mounts-restored', { name });
    else log('warning', 'mounts-missing', { name, missing });
  }

  async #finish(action: FinishAction): Promise<void> {
    const { incus, log, signal } = this.#parts;
    const { name, id, reason } = action;
    if (this.#finishing.has(id)) return;
    this.#finishing.add(id);
    let againMs = 0;
    try {
      const finished = await finish(incus, action, signal);
      if (finished === 'gone') log('info', 'finished', { name, id, reason });
      if (finished === 'busy') againMs = busyMs[reason];
    } catch (error) {
      if (!signal.aborted) log('warning', 'finish-failed', { name, error });
      againMs = retryMs;
    } finally {
      this.#finishing.delete(id);
      this.lookWithin(againMs);
    }
  }
}
