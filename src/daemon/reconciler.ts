// Looks at the world when Incus says that something happened, and does what the reconciliation says.
import type { EventStream, Incus } from '../incus/client.ts';
import { IncusError } from '../incus/client.ts';
import type { IncusEvent, OperationData } from '../incus/shapes.ts';
import { type SessionRecord, sessionRecord } from '../session/record.ts';
import type { Leases } from './leases.ts';
import type { Log } from './log.ts';
import type { MountTrees } from './mount-trees.ts';
import type { DaemonStatus } from './protocol.ts';
import { type Action, type Memory, nothingSeen, reconciliation } from './reconcile.ts';
import type { Service } from './service.ts';
import type { World } from './world.ts';

export interface ReconcilerParts {
  readonly incus: Incus;
  readonly world: World;
  readonly trees: MountTrees;
  readonly leases: Leases;
  readonly service: Service;
  readonly log: Log;
  readonly runDir: string;
  readonly elapsedMs: () => number;
  readonly signal: AbortSignal;
  readonly everyMs: number | undefined;
  /** Told the process id of incusd at each connection; may throw to end coid. */
  readonly serverSeen: (pid: number) => void;
}

const reconnectMs = 1000;
/** While an operation of somebody else holds a container that is to be finished. */
const busyMs = { ended: 200, debris: 10_000 } as const;
/** After a failure. */
const retryMs = 2000;
/** Incus lists operations for some seconds after their end, with a status code from here on. */
const doneCode = 200;
const deleteLimitMs = 60_000;
/** How long after an event to look: what a start causes can wait, so that it does not slow the start down. */
const lookAfterMs: Readonly<Record<string, number>> = {
  'instance-stopped': 0,
  'instance-shutdown': 0,
  'instance-deleted': 50,
  'instance-started': 500,
  'instance-restarted': 500,
  'instance-created': 1500,
  'instance-renamed': 50,
  'instance-updated': 500,
};

type FinishAction = Action & { readonly kind: 'finish' };

export class Reconciler {
  /** Resolves when everything has ended after the signal. */
  ended: Promise<void> = Promise.resolve();
  readonly #parts: ReconcilerParts;
  #memory: Memory = nothingSeen;
  #connected = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #running: Promise<void> = Promise.resolve();
  readonly #finishing = new Set<string>();
  /** What could not be restored and why, by the id of the mounts. */
  readonly #unrestored = new Map<string, string>();

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
  }

  /** Connects and mends everything once if Incus answers; goes on trying in the background if it does not. */
  async start(): Promise<void> {
    const { signal, everyMs, log } = this.#parts;
    let events: EventStream | undefined;
    try {
      events = await this.#connect();
      await this.#look();
    } catch (error) {
      if (!(error instanceof IncusError)) throw error;
      log('warning', 'incus-unreachable', { error: error.message });
    }
    this.ended = this.#follow(events);
    const every =
      everyMs === undefined ? undefined : setInterval(() => this.lookWithin(0), everyMs);
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
      this.#running = this.#running.then(() => this.#lookSafely());
    }, delayMs);
  }

  async report(): Promise<Pick<DaemonStatus, 'incus' | 'sessions' | 'bridge'>> {
    const { world, trees, runDir } = this.#parts;
    if (!this.#connected) return { incus: 'waiting', sessions: trees.present().size, bridge: '' };
    const [instances, bridge] = await Promise.all([
      world.instances(),
      world.bridge().catch(() => undefined),
    ]);
    const sessions = instances.filter(
      ({ config }) => sessionRecord(config)?.mounts.runDir === runDir,
    ).length;
    return { incus: 'connected', sessions, bridge: bridge?.name ?? '' };
  }

  async #connect(): Promise<EventStream> {
    const { incus, world, serverSeen, signal, log } = this.#parts;
    const { environment } = await incus.server({ signal });
    serverSeen(environment.server_pid);
    const events = incus.events(['lifecycle'], { signal });
    await events.ready;
    // From here on every change is heard of, so what is fetched now may be kept.
    world.keep(true);
    this.#connected = true;
    log('info', 'incus-connected', {
      pid: environment.server_pid,
      version: environment.server_version,
    });
    return events;
  }

  /** Reads events, and connects again when they are lost, until the signal. */
  async #follow(first: EventStream | undefined): Promise<void> {
    const { signal, log, world } = this.#parts;
    let events = first;
    while (!signal.aborted) {
      try {
        events ??= await this.#connect();
        this.lookWithin(0);
        for await (const event of events) this.#hear(event);
      } catch (error) {
        if (!signal.aborted && (this.#connected || !(error instanceof IncusError)))
          log('warning', 'incus-lost', {
            error: error instanceof Error ? error.message : String(error),
          });
      }
      events = undefined;
      this.#connected = false;
      world.keep(false);
      // A start may be missed from here on, and with it that an end is over.
      this.#memory = { ...this.#memory, ended: new Set() };
      await pause(reconnectMs, signal);
    }
    await this.#running;
  }

  #hear(event: IncusEvent): void {
    if (event.type !== 'lifecycle') return;
    const { action, source } = event.metadata;
    const { world } = this.#parts;
    if (action.startsWith('network-') || action.startsWith('profile-')) world.forgetBridge();
    const afterMs = lookAfterMs[action];
    if (afterMs === undefined) return;
    world.forgetInstances();
    const name = decodeURIComponent(source.split('?')[0]?.split('/')[3] ?? '');
    const ended = new Set(this.#memory.ended);
    if (action === 'instance-stopped' || action === 'instance-shutdown') ended.add(name);
    else if (action !== 'instance-updated') ended.delete(name);
    this.#memory = { ...this.#memory, ended };
    this.lookWithin(afterMs);
  }

  async #lookSafely(): Promise<void> {
    const { log, signal } = this.#parts;
    try {
      await this.#look();
    } catch (error) {
      if (signal.aborted) return;
      log(error instanceof IncusError ? 'warning' : 'error', 'reconcile-failed', { error });
      this.lookWithin(retryMs);
    }
  }

  async #look(): Promise<void> {
    const { world, trees, leases, runDir, elapsedMs } = this.#parts;
    // The leases first: one that is made while the instances are fetched is not judged by this look.
    const known = leases
      .all()
      .map(({ reservation, expiresMs }) => ({ id: reservation.id, expiresMs }));
    const mounts = trees.present();
    // Two looks must be two looks: not every change of state is an event (a reboot passes through Stopped in silence).
    world.forgetInstances();
    const instances = await world.instances();
    const made = leases
      .all()
      .map(({ reservation, expiresMs }) => ({ id: reservation.id, expiresMs }));
    const look = {
      nowMs: elapsedMs(),
      runDir,
      instances,
      mounts,
      leases: [...new Map([...known, ...made].map((lease) => [lease.id, lease])).values()],
    };
    const { actions, memory, lookAgainMs } = reconciliation(look, this.#memory);
    this.#memory = memory;
    for (const action of actions) {
      // Ends do not wait for each other, nor the next look for them.
      if (action.kind === 'finish') void this.#finishSafely(action);
      else await this.#act(action);
    }
    if (lookAgainMs !== undefined) this.lookWithin(lookAgainMs);
  }

  async #act(action: Exclude<Action, FinishAction>): Promise<void> {
    const { incus, trees, leases, log } = this.#parts;
    switch (action.kind) {
      case 'restore-mounts': {
        this.#restore(action.name, action.session);
        return;
      }
      case 'mark-live':
        await incus.updateInstance(action.name, { config: { 'user.coi.phase': 'live' } });
        return;
      case 'drop-lease':
        leases.remove(action.id);
        return;
      case 'expire-lease':
        trees.remove(action.id);
        leases.remove(action.id);
        log('info', 'lease-expired', { id: action.id });
        return;
      case 'remove-mounts':
        trees.remove(action.id);
        log('info', 'mounts-removed', { id: action.id });
        return;
      default:
        action satisfies never;
    }
  }

  /** A source that is gone stays missing, so it is said once, not at every look. */
  #restore(name: string, session: SessionRecord): void {
    const { service, log } = this.#parts;
    const { errors } = service.restore(session);
    const text = errors.map(String).join('; ');
    if (errors.length > 0 && this.#unrestored.get(session.mounts.id) === text) return;
    this.#unrestored.set(session.mounts.id, text);
    log(errors.length > 0 ? 'warning' : 'info', 'mounts-restored', {
      name,
      ...(text === '' ? {} : { missing: text }),
    });
  }

  async #finishSafely(action: FinishAction): Promise<void> {
    const { log, signal } = this.#parts;
    if (this.#finishing.has(action.id)) return;
    this.#finishing.add(action.id);
    let againMs = 0;
    try {
      againMs = await this.#finish(action);
    } catch (error) {
      if (!signal.aborted) log('warning', 'finish-failed', { name: action.name, error });
      againMs = retryMs;
    } finally {
      this.#finishing.delete(action.id);
      this.lookWithin(againMs);
    }
  }

  /**
   * Deletes it, unless somebody is doing something with it (a restart from outside passes through Stopped). Returns when
   * to look again: what is still there then, is tried again. A failure has only text, so its meaning is found by looking.
   */
  async #finish({ name, id, reason }: FinishAction): Promise<number> {
    const { incus, log } = this.#parts;
    if (await this.#busy(name)) {
      log('debug', 'finish-waits', { name });
      return busyMs[reason];
    }
    const found = await incus.instance(name);
    const session = found && sessionRecord(found.instance.config);
    if (!session || session.mounts.id !== id || found.instance.status !== 'Stopped') return 0;
    if (reason === 'ended' && session.persistent) return 0;
    try {
      const deletion = await incus.deleteInstance(name);
      await deletion.wait({ timeoutMs: deleteLimitMs });
    } catch (error) {
      if (await incus.instance(name)) throw error;
    }
    log('info', 'finished', { name, id, reason });
    return 0;
  }

  async #busy(name: string): Promise<boolean> {
    const listed = (await this.#parts.incus.query('GET', '/1.0/operations?recursion=1')) as Record<
      string,
      OperationData[]
    >;
    const running = Object.values(listed).flat();
    return running.some(
      ({ class: kind, status_code: code, resources }) =>
        kind === 'task' &&
        code < doneCode &&
        Object.values(resources ?? {})
          .flat()
          .some((path) => path.split('?')[0]?.endsWith(`/instances/${name}`)),
    );
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
