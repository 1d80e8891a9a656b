// Ten containers that are as expensive to sample as possible take at most half of coid's thread; all of them are
// sampled, and a quiet one more often.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Allowance, type Steps, threadTime } from '../../host/proc/allowance.ts';
import { type ScheduledWatch, WatchScheduler } from './watch-scheduler.ts';

class Fake implements ScheduledWatch {
  readonly pollMs = 50;
  readonly ended = false;
  readonly #costMs: number;
  readonly #began: () => void;
  looks = 0;
  isWhole = false;

  constructor(costMs: number, began: () => void = () => undefined) {
    this.#costMs = costMs;
    this.#began = began;
  }

  *tick(allowance: Allowance): Steps<void> {
    this.looks += 1;
    this.#began();
    while (allowance.spentMs < this.#costMs) yield* allowance.yieldIfDue();
    this.isWhole = true;
  }
}

function turnsUntil(signal: AbortSignal, after: () => void = () => undefined): WatchScheduler {
  return new WatchScheduler({ elapsedMs: () => performance.now(), signal, after });
}

test('samples leave half of the thread to other work, reach all containers, and cheap ones run more often', async () => {
  const end = new AbortController();
  const all = Promise.withResolvers<void>();
  const hostile: Fake[] = Array.from(
    { length: 10 },
    () =>
      new Fake(30, () => {
        if (hostile.every(({ looks }) => looks >= 3)) all.resolve();
      }),
  );
  const quiet = new Fake(0);
  const turns = turnsUntil(end.signal);
  const [startedMs, busyMs] = [performance.now(), threadTime()];
  let answered = 0;
  // A request could be answered at each of these times.
  const requests = setInterval(() => {
    answered += 1;
  }, 5);
  for (const one of [quiet, ...hostile]) turns.add(one);
  await all.promise;
  end.abort();
  clearInterval(requests);
  const [tookMs, usedMs] = [performance.now() - startedMs, threadTime() - busyMs];
  assert.ok(usedMs < 0.7 * tookMs, `${Math.round(usedMs)} of ${Math.round(tookMs)} ms`);
  const most = Math.max(...hostile.map(({ looks }) => looks));
  assert.ok(most <= 4, `${most} looks at one, 3 at another`);
  assert.ok(quiet.looks > 2 * most, `${quiet.looks} looks, and ${most}`);
  assert.ok(answered > 30, `${answered} times`);
});

test('a sample that is no longer needed stops where it is', async () => {
  const end = new AbortController();
  const [began, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const turns = turnsUntil(end.signal, over.resolve);
  const long = new Fake(60_000, began.resolve);
  turns.add(long);
  await began.promise;
  turns.forget(long);
  await over.promise;
  end.abort();
  assert.equal(long.isWhole, false);
});
