// Follows what one session does, at the least cost: its files are read after they have changed, and a look at the agents'
// processes tells whether these still run.
import type { Activity } from '../../attention/activity.ts';
import type { DirectoryWatch } from '../../host/fs/meta/directory-watch.ts';
import { type GuestProcess, guestProcess } from '../../host/proc/container-processes.ts';
import {
  type ActivityReading,
  type ObservedContainer,
  readActivity,
  toolOf,
  watchStore,
} from '../attention/container-activity.ts';
import type { AppContext } from '../context.ts';

/** A container that changes its files all the time must not keep the host busy: pauses are longer than the readings. */
const pauseMs = 50;
const pauseFactor = 5;
/** So many readings in a row may find nothing new; after that the pauses double, up to a limit. */
const fruitlessMax = 6;
const pauseMaxMs = 1600;
/** A session that was left alone that long may change again at once. */
const quietMs = 3000;
/** Even if nothing seems to have changed. */
const againMs = 60_000;
/** Without files that can be watched. */
const unwatchedMs = 10_000;
/** Of an agent whose conversation tells what its status file does not. */
const turnMs = 2500;
const startingMs = 1000;
const settleTriesMax = 5;
/** The end of a turn may be in the agent's registry before it is in its transcript. */
const doubtfulMs = 400;

interface Seen {
  readonly activity: Activity;
  readonly processes: readonly GuestProcess[];
  readonly atMs: number;
}

export class WatchedSession implements Disposable {
  readonly #app: AppContext;
  readonly #onActivity: (container: ObservedContainer, activity: Activity) => void;
  readonly #onError: (error: unknown) => void;
  #container: ObservedContainer;
  #watch: DirectoryWatch | undefined;
  #seen: Seen | undefined;
  #timer: NodeJS.Timeout | undefined;
  #earliestMs = 0;
  #fruitless = 0;
  #isUnsettled = false;
  #unsettled = '';
  #settleTries = 0;
  /** How the last turn ended, with its last words. */
  #lastEnd = '';
  /** An agent that works writes to its transcript all the time. */
  #watchesTranscripts = true;
  #isDisposed = false;

  constructor(
    app: AppContext,
    container: ObservedContainer,
    onActivity: (container: ObservedContainer, activity: Activity) => void,
    onError: (error: unknown) => void,
  ) {
    this.#app = app;
    this.#container = container;
    this.#onActivity = onActivity;
    this.#onError = onError;
    this.#wake();
  }

  /** Incus has something new about its container. */
  update(container: ObservedContainer): void {
    this.#container = container;
    this.#wake();
  }

  /** Called every few seconds. */
  check(): void {
    const nowMs = this.#app.clock.elapsedMs();
    if (!this.#seen || this.#isDue(this.#seen, nowMs)) this.#wake();
  }

  #isDue({ activity, processes, atMs }: Seen, nowMs: number): boolean {
    if (this.#container.status !== 'Running') return false;
    const isInTurn = activity.kind === 'working' || activity.kind === 'asks';
    const limitMs =
      isInTurn && toolOf(this.#container)?.turns
        ? turnMs
        : this.#watch?.isComplete === true
          ? againMs
          : unwatchedMs;
    return (
      nowMs - atMs >= limitMs ||
      processes.some(({ hostPid, pid }) => guestProcess(hostPid)?.pid !== pid)
    );
  }

  #wake(): void {
    if (this.#timer || this.#isDisposed) return;
    const waitMs = Math.max(0, this.#earliestMs - this.#app.clock.elapsedMs());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#read();
    }, waitMs);
  }

  #read(): void {
    const { clock } = this.#app;
    const beginMs = clock.elapsedMs();
    const isRunning = this.#container.status === 'Running';
    // Watched before it is read, so that no change is missed.
    this.#rewatch(isRunning);
    const { activity, hostPids } = this.#activity();
    const processes = hostPids.flatMap((hostPid) => guestProcess(hostPid) ?? []);
    const nowMs = clock.elapsedMs();
    this.#earliestMs = nowMs + Math.max(this.#pauseMs(activity), pauseFactor * (nowMs - beginMs));
    const settlesMs = this.#settlesMs(activity);
    this.#isUnsettled = settlesMs > 0;
    if (!this.#isUnsettled) {
      this.#seen = { activity, processes, atMs: nowMs };
      this.#onActivity(this.#container, activity);
    }
    const isWatchedAs = this.#watchesTranscripts;
    this.#watchesTranscripts = activity.kind !== 'working';
    const isStarting = activity.kind === 'unknown' && activity.why === 'starting';
    if (this.#isUnsettled || this.#watchesTranscripts !== isWatchedAs || isStarting)
      this.#wakeIn(isStarting ? startingMs : settlesMs);
  }

  /** A container can cause any number of events: the first one ends the watch, until the files have been read. */
  #rewatch(isRunning: boolean): void {
    this.#unwatch();
    const changed = () => {
      this.#unwatch();
      this.#wake();
    };
    const transcripts = this.#watchesTranscripts;
    this.#watch = isRunning
      ? watchStore(this.#app, this.#container, changed, { transcripts })
      : undefined;
  }

  #unwatch(): void {
    this.#watch?.[Symbol.dispose]();
    this.#watch = undefined;
  }

  #pauseMs(activity: Activity): number {
    const nowMs = this.#app.clock.elapsedMs();
    const isFruitless =
      nowMs - this.#earliestMs < quietMs &&
      JSON.stringify(activity) === JSON.stringify(this.#seen?.activity);
    this.#fruitless = isFruitless ? this.#fruitless + 1 : 0;
    return Math.min(pauseMs * 2 ** Math.max(0, this.#fruitless - fruitlessMax), pauseMaxMs);
  }

  /** How long to wait until it is read again and reported, if it is the same then; 0: report it now. */
  #settlesMs(activity: Activity): number {
    const before = this.#seen?.activity;
    const isNew = before !== undefined && before.kind !== activity.kind;
    const settlesMs =
      activity.kind === 'idle' && isDoubtful(activity, this.#lastEnd)
        ? doubtfulMs
        : settleMs(activity);
    const text = JSON.stringify(activity);
    const isSame = this.#isUnsettled && this.#unsettled === text;
    this.#unsettled = text;
    if (isNew && settlesMs > 0 && !isSame && this.#settleTries < settleTriesMax) {
      this.#settleTries += 1;
      return settlesMs;
    }
    this.#settleTries = 0;
    if (activity.kind === 'idle') this.#lastEnd = endOf(activity);
    return 0;
  }

  /** One session that cannot be read must not end the watcher of all. */
  #activity(): Pick<ActivityReading, 'activity' | 'hostPids'> {
    try {
      return readActivity(this.#app, this.#container);
    } catch (error) {
      this.#onError(error);
      return { activity: { kind: 'unknown', why: 'unreadable' }, hostPids: [] };
    }
  }

  #wakeIn(ms: number): void {
    this.#earliestMs = Math.max(this.#earliestMs, this.#app.clock.elapsedMs() + ms);
    this.#wake();
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    clearTimeout(this.#timer);
    this.#unwatch();
  }
}

/** How long a state must last before it is reported: what an agent writes about it may not be complete yet. */
function settleMs(activity: Activity): number {
  switch (activity.kind) {
    case 'exited':
    case 'unknown':
      // A container that shuts down ends its processes first, and an agent rewrites its files.
      return 1000;
    case 'idle':
      // The last words follow the end of the turn.
      return 100;
    case 'asks':
      // The question follows the dialog.
      return activity.asks.some(({ kind }) => kind === 'dialog') ? 200 : 0;
    default:
      return 0;
  }
}

function endOf({ why, said }: Activity & { kind: 'idle' }): string {
  return JSON.stringify([why, said]);
}

/** After a turn these may tell what was before it. */
function isDoubtful(activity: Activity & { kind: 'idle' }, lastEnd: string): boolean {
  return activity.why === 'fresh' || activity.why === 'interrupted' || endOf(activity) === lastEnd;
}
