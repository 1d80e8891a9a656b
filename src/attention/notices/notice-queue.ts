// Decides which events the user is told, and when. Pure: the caller brings the time and tells.
import type { SessionEvent } from '../events/event.ts';
import { TokenBuckets } from '../token-buckets.ts';

export const noticeKinds = ['asks', 'finished', 'paused', 'exited'] as const;
export type NoticeKind = (typeof noticeKinds)[number];

export interface NoticeRules {
  readonly on: readonly NoticeKind[];
  /** How long a state must last. */
  readonly delayMs: number;
  /** For each session. */
  readonly perMinute: number;
}

export interface Notice {
  readonly kind: NoticeKind;
  readonly event: SessionEvent;
}

export interface DueNotices {
  readonly notices: readonly Notice[];
  /** How many more were held back since the last call, because there were too many. */
  readonly heldBack: number;
}

/** For all sessions of a user. */
const perMinuteOfAll = 30;
const minuteMs = 60_000;
const knownMax = 1000;

interface Pending extends Notice {
  readonly dueMs: number;
}

export class NoticeQueue {
  readonly #pending = new Map<string, Pending>();
  /** What was told of each session last. */
  readonly #told = new Map<string, string>();
  readonly #ofAll = new TokenBuckets({
    burst: perMinuteOfAll,
    refillMs: minuteMs / perMinuteOfAll,
  });
  #ofSession: { readonly perMinute: number; readonly buckets: TokenBuckets } | undefined;
  #heldBack = 0;

  /** `nowMs`: of a clock that never goes back. */
  add(event: SessionEvent, rules: NoticeRules, nowMs: number): void {
    const kind = kindOf(event);
    // What came before is out of date, also if nothing is to be told now.
    this.#pending.delete(event.instance);
    if (event.type === 'ended') this.#told.delete(event.instance);
    if (kind === undefined || !rules.on.includes(kind)) return;
    if (this.#told.get(event.instance) === markOf(event)) return;
    this.#pending.set(event.instance, { kind, event, dueMs: nowMs + rules.delayMs });
  }

  /** When `take` will have something; undefined if nothing is pending. */
  get nextMs(): number | undefined {
    return this.#pending.size === 0
      ? undefined
      : Math.min(...[...this.#pending.values()].map(({ dueMs }) => dueMs));
  }

  /** `isSeen`: whether the user looks at that container. */
  take(rules: NoticeRules, nowMs: number, isSeen: (container: string) => boolean): DueNotices {
    const due = [...this.#pending.values()].filter(({ dueMs }) => dueMs <= nowMs);
    const notices = due.filter(({ event }) => {
      this.#pending.delete(event.instance);
      this.#remember(event);
      if (isSeen(event.container)) return false;
      const isAllowed =
        this.#bucketsFor(rules).take(event.instance, nowMs) && this.#ofAll.take('', nowMs);
      if (!isAllowed) this.#heldBack += 1;
      return isAllowed;
    });
    const heldBack = notices.length > 0 ? this.#heldBack : 0;
    this.#heldBack -= heldBack;
    return { notices: notices.map(({ kind, event }) => ({ kind, event })), heldBack };
  }

  #remember(event: SessionEvent): void {
    const [oldest] = this.#told.keys();
    if (this.#told.size >= knownMax && oldest !== undefined) this.#told.delete(oldest);
    this.#told.set(event.instance, markOf(event));
  }

  #bucketsFor({ perMinute }: NoticeRules): TokenBuckets {
    if (this.#ofSession?.perMinute !== perMinute) {
      const buckets = new TokenBuckets({ burst: perMinute, refillMs: minuteMs / perMinute });
      this.#ofSession = { perMinute, buckets };
    }
    return this.#ofSession.buckets;
  }
}

/** Undefined for what the user has done, or need not know. */
function kindOf({ type, from, attention }: SessionEvent): NoticeKind | undefined {
  const { status, why, by } = attention;
  switch (status) {
    case 'asks':
      return 'asks';
    case 'idle':
      // A session that was idle when it was first seen has not just finished.
      return type === 'activity' && from !== 'unknown' && (why === 'finished' || why === 'failed')
        ? 'finished'
        : undefined;
    case 'paused':
      return by === 'monitor' ? 'paused' : undefined;
    case 'exited':
      return type === 'activity' ? 'exited' : undefined;
    default:
      return undefined;
  }
}

/** The same ask, or the same end of a turn, is told once. A dialog has no id of its own. */
function markOf({ attention }: SessionEvent): string {
  const { status, since, asks } = attention;
  const hasIds = status === 'asks' && asks.every(({ kind }) => kind !== 'dialog');
  return JSON.stringify([status, hasIds ? '' : since, asks.map(({ id }) => id)]);
}
