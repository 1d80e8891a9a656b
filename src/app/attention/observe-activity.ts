// Reports what a session does, and each change of it, until nobody listens or the container is gone.
import { setTimeout as delay } from 'node:timers/promises';
import type { Activity } from '../../attention/activity.ts';
import { isUnexplained } from '../../attention/wait.ts';
import { type SubscriptionEvent, subscribeEvents } from '../../incus/subscribe.ts';
import { findByRef } from '../../session/record/change-instance.ts';
import type { ContainerRef } from '../../session/record/container-ref.ts';
import { type Container, containerOf } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';
import { type ActivityReading, readActivity, watchStore } from './container-activity.ts';

export interface Observation extends ActivityReading {
  /** How long the session has been in a state of this kind, since this observation began. */
  readonly forMs: number;
}

/** A process that is killed writes nothing, and a file system may report no changes. */
const pollMs = 3000;
/** An agent that starts has no files to watch yet; a question may become known. */
const unclearPollMs = 200;
/** A container that changes its files all the time must not keep the host busy: pauses are longer than the readings. */
const pauseMs = 50;
const pauseFactor = 5;

/** Yields at once, after each change, and at least every `everyMs`. The last one is `ended`. */
export async function* observeActivity(
  app: AppContext,
  ref: ContainerRef,
  signal: AbortSignal,
  everyMs = pollMs,
): AsyncGenerator<Observation, void> {
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  const wake = new Wakeup();
  const instance = new InstanceWatch(app, ref, until, () => wake.ring());
  let kind: Activity['kind'] | undefined;
  let sinceMs = 0;
  try {
    for (;;) {
      const container = await instance.current();
      // Watched before it is read, so that no change is missed.
      using _ = container && watchStore(app, container, () => wake.ring());
      const beginMs = app.clock.elapsedMs();
      const reading: ActivityReading = container
        ? readActivity(app, container)
        : { activity: { kind: 'ended' }, agents: [], hostPids: [] };
      const { activity } = reading;
      const nowMs = app.clock.elapsedMs();
      const tookMs = nowMs - beginMs;
      if (activity.kind !== kind) sinceMs = nowMs;
      kind = activity.kind;
      const seen = { ...reading, forMs: nowMs - sinceMs };
      yield seen;
      if (kind === 'ended') return;
      const isUnclear = kind === 'unknown' || isUnexplained(seen);
      await wake.wait(isUnclear ? Math.min(unclearPollMs, everyMs) : everyMs, signal);
      await pause(Math.max(pauseMs, pauseFactor * tookMs), signal);
      // Its processes are gone: Incus may know more.
      if (kind === 'exited' || kind === 'unknown') instance.refresh();
    }
  } finally {
    over.abort();
  }
}

/** The instance as Incus describes it, read again after each event about it. */
class InstanceWatch {
  readonly #app: AppContext;
  readonly #ref: ContainerRef;
  readonly #signal: AbortSignal;
  #container: Container | undefined;
  #isStale = true;

  constructor(app: AppContext, ref: ContainerRef, signal: AbortSignal, onChange: () => void) {
    this.#app = app;
    this.#ref = ref;
    this.#signal = signal;
    this.#listen(onChange).catch(() => undefined);
  }

  refresh(): void {
    this.#isStale = true;
  }

  /** Undefined if it is gone. */
  async current(): Promise<Container | undefined> {
    if (!this.#isStale) return this.#container;
    this.#isStale = false;
    const incus = await this.#app.incus();
    const found = await findByRef(incus, this.#ref, { signal: this.#signal });
    this.#container = found && containerOf(found.instance, undefined);
    return this.#container;
  }

  async #listen(onChange: () => void): Promise<void> {
    const incus = await this.#app.incus();
    for await (const change of subscribeEvents(incus, ['lifecycle'], { signal: this.#signal })) {
      if (!isAbout(change, this.#ref.name)) continue;
      this.refresh();
      onChange();
    }
  }
}

/** Also after a connection, because earlier events were missed. */
function isAbout(change: SubscriptionEvent, name: string): boolean {
  if (change.kind !== 'event') return change.kind === 'connected';
  return change.event.type === 'lifecycle' && change.event.instance === name;
}

/** Remembers a ring until somebody waits for it. */
class Wakeup {
  #ring = new AbortController();

  ring(): void {
    this.#ring.abort();
  }

  /** Returns after a ring or after `ms`. Throws the reason of the signal. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    await pause(ms, signal, this.#ring.signal);
    this.#ring = new AbortController();
  }
}

async function pause(ms: number, signal: AbortSignal, wake = signal): Promise<void> {
  const early = AbortSignal.any([signal, wake]);
  await delay(ms, undefined, { signal: early }).catch(() => undefined);
  signal.throwIfAborted();
}
