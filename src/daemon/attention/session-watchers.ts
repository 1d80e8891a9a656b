// Keeps one watcher running for each user who has sessions (app/events/run-watcher.ts). It reads the files of agents, which
// coid does not: it runs as the user, and a home that does not answer holds up nobody else.
import { type WatchInput, watchedInstance } from '../../coid-api/watch-protocol.ts';
import type { Instance } from '../../incus/shapes.ts';
import { noTool, type SessionRecord, sessionRecord } from '../../session/record/instance-record.ts';
import { storeHome } from '../../session/record/store-home.ts';
import type { Log } from '../log.ts';

export interface SessionWatchersParts {
  readonly log: Log;
  readonly runDir: string;
  readonly elapsedMs: () => number;
  readonly signal: AbortSignal;
  readonly homeOf: (uid: number) => string | undefined;
  /** Undefined if there is no such user. */
  readonly start: (owner: WatchOwner) => WatcherProcess | undefined;
}

export interface WatchOwner {
  readonly uid: number;
  readonly home: string;
}

export interface WatcherProcess {
  /** False if it has not taken what it got before. */
  readonly send: (line: string) => boolean;
  /** Lets it end after what it got. */
  readonly end: () => void;
  /** Resolves with its exit status; undefined if it could not be started or was killed. */
  readonly ended: Promise<number | undefined>;
  /** Called when it has taken everything. */
  readonly onDrained: (then: () => void) => void;
}

/** Sessions of scripts may be over by then. */
const startMs = 1000;
const retryMs = 2000;
const retryMaxMs = 60_000;
/** A user who has just ended a session often starts another one. */
const lingerMs = 60_000;
/** A watcher that ran that long has not failed at its start. */
const soundMs = 60_000;

interface Owner extends WatchOwner {
  /** What the watcher should know. */
  line: string;
  hasSessions: boolean;
  sent: string | undefined;
  watcher: WatcherProcess | undefined;
  isBusy: boolean;
  retryMs: number;
  timer: NodeJS.Timeout | undefined;
  /** Ends a watcher without sessions. */
  lingering: NodeJS.Timeout | undefined;
}

const nobody: WatchInput = { instances: [] };

export class SessionWatchers {
  readonly #parts: SessionWatchersParts;
  readonly #owners = new Map<string, Owner>();

  constructor(parts: SessionWatchersParts) {
    this.#parts = parts;
    parts.signal.addEventListener('abort', () => {
      for (const { timer, lingering } of this.#owners.values()) {
        clearTimeout(timer);
        clearTimeout(lingering);
      }
    });
  }

  /** Called in each reconcile pass with all instances. */
  reconcile(instances: readonly Instance[]): void {
    const { runDir, signal } = this.#parts;
    if (signal.aborted) return;
    const lists = new Map<string, { owner: WatchOwner; instances: Instance[] }>();
    for (const instance of instances) {
      const record = sessionRecord(instance.config);
      if (record?.mounts.runDir !== runDir || record.tool === noTool) continue;
      const owner = this.#ownerOf(record);
      if (!owner) continue;
      const list = lists.get(keyOf(owner)) ?? { owner, instances: [] };
      list.instances.push(instance);
      lists.set(keyOf(owner), list);
    }
    for (const [key, owner] of this.#owners) if (!lists.has(key)) this.#tell(owner, nobody);
    for (const [key, { owner, instances: ofOwner }] of lists) {
      const known = this.#owners.get(key) ?? newOwner(owner);
      this.#owners.set(key, known);
      this.#tell(known, { instances: ofOwner.map(watchedInstance) });
    }
  }

  #ownerOf(record: SessionRecord): WatchOwner | undefined {
    const home = storeHome(record) ?? this.#parts.homeOf(record.owner);
    return home === undefined ? undefined : { uid: record.owner, home };
  }

  #tell(owner: Owner, input: WatchInput): void {
    owner.line = `${JSON.stringify(input)}\n`;
    owner.hasSessions = input.instances.length > 0;
    if (owner.watcher) this.#send(owner);
    else if (owner.hasSessions) this.#startWithin(owner, startMs);
    else this.#forget(owner);
  }

  #forget(owner: Owner): void {
    clearTimeout(owner.timer);
    this.#owners.delete(keyOf(owner));
  }

  /** A watcher that waits for its home gets only the newest list, when it goes on. */
  #send(owner: Owner): void {
    const { watcher, line, isBusy, sent, hasSessions } = owner;
    if (!watcher || isBusy || line === sent) return;
    owner.sent = line;
    owner.isBusy = !watcher.send(line);
    clearTimeout(owner.lingering);
    if (hasSessions) return;
    owner.lingering = setTimeout(() => watcher.end(), lingerMs);
    owner.lingering.unref();
  }

  #startWithin(owner: Owner, ms: number): void {
    if (owner.timer) return;
    owner.timer = setTimeout(() => {
      owner.timer = undefined;
      this.#start(owner);
    }, ms);
    owner.timer.unref();
  }

  #start(owner: Owner): void {
    const { start, elapsedMs, log, signal } = this.#parts;
    const beganMs = elapsedMs();
    const watcher = signal.aborted ? undefined : start(owner);
    if (!watcher) return;
    owner.watcher = watcher;
    owner.sent = undefined;
    owner.isBusy = false;
    watcher.onDrained(() => {
      owner.isBusy = false;
      this.#send(owner);
    });
    this.#send(owner);
    void watcher.ended.then((status) => {
      owner.watcher = undefined;
      clearTimeout(owner.lingering);
      if (signal.aborted) return;
      if (!owner.hasSessions) return this.#forget(owner);
      if (elapsedMs() - beganMs > soundMs) owner.retryMs = retryMs;
      // It also ends if the last session ended while another began.
      if (status !== 0) log('warning', 'watcher-ended', { owner: owner.uid, status });
      this.#startWithin(owner, status === 0 ? startMs : owner.retryMs);
      if (status !== 0) owner.retryMs = Math.min(owner.retryMs * 2, retryMaxMs);
    });
  }
}

function newOwner({ uid, home }: WatchOwner): Owner {
  return {
    uid,
    home,
    line: '',
    hasSessions: true,
    sent: undefined,
    watcher: undefined,
    isBusy: false,
    retryMs,
    timer: undefined,
    lingering: undefined,
  };
}

function keyOf({ uid, home }: WatchOwner): string {
  return `${uid} ${home}`;
}
