// When each watched container is looked at. Looks leave coid's thread free: they go on in small steps, requests are
// answered in between, and each is followed by a rest as long as it was, so that all of them together never take more
// than half of it. What costs little goes before what costs much: a container that makes much to look at keeps none of the others waiting.
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { Allowance, type Steps } from '../../host/proc/allowance.ts';

export interface Looking {
  readonly pollMs: number;
  /** Nothing is left to look at. */
  readonly ended: boolean;
  /** One look. Never throws. */
  tick(allowance: Allowance): Steps<void>;
}

export interface TurnsParts {
  readonly elapsedMs: () => number;
  readonly signal: AbortSignal;
  /** Called after each round. */
  readonly after: () => void;
}

interface Due {
  readonly atMs: number;
  /** Of the last look. */
  readonly costMs: number;
}

/** A look of so little is followed by the next one at once. */
const freeMs = 4;
/** Until the same container is looked at again: that many times what the look cost. */
const restFactor = 4;
/** So many times its cost a container may wait for cheaper ones. */
const waitFactor = 40;
/** Of a container that was not looked at yet. */
const firstCostMs = 20;
/** What is due so soon is looked at in the same round. */
const togetherMs = 5;

export class Turns {
  readonly #parts: TurnsParts;
  readonly #due = new Map<Looking, Due>();
  #timer: NodeJS.Timeout | undefined;
  #running = false;

  constructor(parts: TurnsParts) {
    this.#parts = parts;
    parts.signal.addEventListener('abort', () => clearTimeout(this.#timer));
  }

  add(looking: Looking): void {
    this.#schedule(looking, firstCostMs);
    this.#arm();
  }

  /** A look that has begun ends where it is. */
  forget(looking: Looking): void {
    this.#due.delete(looking);
  }

  /** All that are due within a moment are looked at together, so that coid wakes seldom. */
  #schedule(looking: Looking, costMs: number): void {
    const { pollMs } = looking;
    const nowMs = this.#parts.elapsedMs();
    const atMs = Math.max((Math.floor(nowMs / pollMs) + 1) * pollMs, nowMs + restFactor * costMs);
    this.#due.set(looking, { atMs, costMs });
  }

  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#due.size === 0 || this.#parts.signal.aborted || this.#running) return;
    const next = Math.min(...[...this.#due.values()].map(({ atMs }) => atMs));
    const inMs = Math.max(10, next - this.#parts.elapsedMs());
    this.#timer = setTimeout(() => void this.#round(), inMs).unref();
  }

  async #round(): Promise<void> {
    const { signal, after } = this.#parts;
    this.#running = true;
    for (let next = this.#next(); next && !signal.aborted; next = this.#next()) {
      const looking = next;
      const allowance = new Allowance();
      await inTurns(looking.tick(allowance), () => this.#due.has(looking) && !signal.aborted);
      const costMs = allowance.spentMs;
      if (looking.ended) this.#due.delete(looking);
      else if (this.#due.has(looking)) this.#schedule(looking, costMs);
      await (costMs > freeMs ? delay(costMs) : nextTurn());
    }
    after();
    this.#running = false;
    this.#arm();
  }

  #next(): Looking | undefined {
    const nowMs = this.#parts.elapsedMs() + togetherMs;
    return [...this.#due]
      .filter(([, { atMs }]) => atMs <= nowMs)
      .sort(([, one], [, other]) => rankOf(one) - rankOf(other))[0]?.[0];
  }
}

/** What costs much lets what costs little go first, for seconds; who waits longer gets its turn all the same. */
function rankOf({ atMs, costMs }: Due): number {
  return atMs + waitFactor * costMs;
}

/** Runs it step by step; undefined if it is not wanted any more. */
export async function inTurns<Result>(
  steps: Steps<Result>,
  isWanted: () => boolean = () => true,
): Promise<Result | undefined> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await nextTurn();
    if (isWanted()) continue;
    steps.return(undefined as Result);
    return undefined;
  }
}
