import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dedupeMs, letGo, noResponse, overdue, respond } from './respond.ts';
import { defaultSettings } from './settings.ts';
import type { Level, Threat } from './threat.ts';

const threat = (level: Level, key = 'one'): Threat => ({
  level,
  category: 'process',
  title: `a ${level} thing`,
  description: 'It happened.',
  evidence: {},
  key,
});
const settings = defaultSettings;

test('notes are logged, warnings alert, neither pauses', () => {
  const { entries, effect } = respond(noResponse, [threat('warning'), threat('info')], settings, 0);
  assert.deepEqual(
    entries.map(({ action }) => action),
    ['alerted', 'logged'],
  );
  assert.equal(effect, 'none');
});

test('high pauses once, and what comes while it is paused is only logged', () => {
  const first = respond(noResponse, [threat('high')], settings, 0);
  assert.equal(first.effect, 'pause');
  assert.deepEqual(
    first.entries.map(({ action }) => action),
    ['paused'],
  );
  const second = respond(first.state, [threat('high', 'two')], settings, 100);
  assert.equal(second.effect, 'none');
  assert.deepEqual(
    second.entries.map(({ action }) => action),
    ['logged (already paused)'],
  );
});

test('whoever lets go has seen the finding: it does not pause again, another one does', () => {
  const first = respond(noResponse, [threat('high')], settings, 0);
  const free = letGo(first.state);
  assert.equal(respond(free, [threat('high')], settings, 60_000).effect, 'none');
  assert.equal(respond(free, [threat('high', 'two')], settings, 60_000).effect, 'pause');
});

test('whoever lets go has seen the process, whatever the next sample calls it; another process pauses', () => {
  const of = (pid: number, key: string): Threat => ({
    ...threat('critical', key),
    evidence: { process: { pid } },
  });
  const free = letGo(respond(noResponse, [of(7, 'its command line')], settings, 0).state);
  assert.equal(respond(free, [of(7, 'its streams')], settings, 1000).effect, 'none');
  assert.notEqual(respond(free, [of(8, 'its streams')], settings, 1000).effect, 'none');
});

test('critical pauses first and kills when nobody lets go in time', () => {
  const first = respond(noResponse, [threat('critical')], settings, 1000);
  assert.equal(first.effect, 'pause-to-kill');
  assert.equal(overdue(first.state, 1000 + settings.killGraceMs - 1), undefined);
  assert.equal(overdue(first.state, 1000 + settings.killGraceMs)?.title, 'a critical thing');
  assert.equal(overdue(letGo(first.state), 1000 + settings.killGraceMs), undefined);
});

test('critical kills at once where there is no time to think, and pauses where killing is off', () => {
  const now = respond(noResponse, [threat('critical')], { ...settings, killGraceMs: 0 }, 0);
  assert.equal(now.effect, 'kill');
  assert.deepEqual(
    now.entries.map(({ action }) => action),
    ['killed'],
  );
  assert.equal(
    respond(noResponse, [threat('critical')], { ...settings, pauseOnHigh: false }, 0).effect,
    'kill',
  );
  assert.equal(
    respond(noResponse, [threat('critical')], { ...settings, killOnCritical: false }, 0).effect,
    'pause',
  );
  const off = { ...settings, killOnCritical: false, pauseOnHigh: false };
  const alone = respond(noResponse, [threat('critical')], off, 0);
  assert.equal(alone.effect, 'none');
  assert.deepEqual(
    alone.entries.map(({ action }) => action),
    ['alerted'],
  );
});

test('the same finding is written once in thirty seconds, and then how often it came again', () => {
  let state = noResponse;
  const written: string[] = [];
  for (let ms = 0; ms <= dedupeMs; ms += 2000) {
    const response = respond(state, [threat('warning')], settings, ms);
    state = response.state;
    written.push(
      ...response.entries.map(({ action, repeats }) => `${ms} ${action} ${repeats ?? ''}`),
    );
  }
  assert.deepEqual(written, ['0 alerted ', '30000 deduplicated 14']);
});

test('a flood is cut off, but what pauses is always written', () => {
  const flood = Array.from({ length: 500 }, (_, index) => threat('warning', String(index)));
  const { entries } = respond(noResponse, [threat('high', 'the one'), ...flood], settings, 0);
  assert.ok(entries.length < 130);
  assert.ok(entries.some(({ action }) => action === 'paused'));
  assert.equal(entries.at(-1)?.action, 'suppressed');
});

test('whatever comes, a container is killed at most once and never without permission', () => {
  const one = fc.record({
    level: fc.constantFrom<Level>('info', 'warning', 'high', 'critical'),
    key: fc.constantFrom('a', 'b', 'c'),
  });
  fc.assert(
    fc.property(
      fc.array(fc.array(one)),
      fc.boolean(),
      fc.boolean(),
      (rounds, pauseOnHigh, killOnCritical) => {
        let state = noResponse;
        let kills = 0;
        rounds.forEach((found, round) => {
          const response = respond(
            state,
            found.map(({ level, key }) => threat(level, key)),
            { ...settings, pauseOnHigh, killOnCritical, killGraceMs: 0 },
            round * 2000,
          );
          state = response.state;
          if (response.effect === 'kill') kills += 1;
          assert.ok(pauseOnHigh || response.effect !== 'pause');
        });
        assert.ok(kills <= (killOnCritical ? 1 : 0));
      },
    ),
  );
});
