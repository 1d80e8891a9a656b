import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dedupeMs, initialResponse, overdue, respond, resumed } from './respond.ts';
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

test('notes are logged, warnings alert, and neither pauses', () => {
  const { entries, effect } = respond(
    initialResponse,
    [threat('warning'), threat('info')],
    settings,
    0,
  );
  assert.deepEqual(
    entries.map(({ action }) => action),
    ['alerted', 'logged'],
  );
  assert.equal(effect, 'none');
});

test('a high finding pauses once, and findings while paused are only logged', () => {
  const first = respond(initialResponse, [threat('high')], settings, 0);
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

test('a finding is acknowledged by resuming: it does not pause again, another one does', () => {
  const first = respond(initialResponse, [threat('high')], settings, 0);
  const free = resumed(first.state);
  assert.equal(respond(free, [threat('high')], settings, 60_000).effect, 'none');
  assert.equal(respond(free, [threat('high', 'two')], settings, 60_000).effect, 'pause');
});

test('an acknowledged process does not pause again under another name; another process does', () => {
  const of = (pid: number, key: string): Threat => ({
    ...threat('critical', key),
    evidence: { process: { pid } },
  });
  const free = resumed(respond(initialResponse, [of(7, 'its command line')], settings, 0).state);
  assert.equal(respond(free, [of(7, 'its streams')], settings, 1000).effect, 'none');
  assert.notEqual(respond(free, [of(8, 'its streams')], settings, 1000).effect, 'none');
});

test('a critical finding pauses first and kills unless the session is resumed in time', () => {
  const first = respond(initialResponse, [threat('critical')], settings, 1000);
  assert.equal(first.effect, 'pause-to-kill');
  assert.equal(overdue(first.state, 1000 + settings.killGraceMs - 1), undefined);
  assert.equal(overdue(first.state, 1000 + settings.killGraceMs)?.title, 'a critical thing');
  assert.equal(overdue(resumed(first.state), 1000 + settings.killGraceMs), undefined);
});

test('a critical finding kills at once without a grace period, and pauses if killing is off', () => {
  const now = respond(initialResponse, [threat('critical')], { ...settings, killGraceMs: 0 }, 0);
  assert.equal(now.effect, 'kill');
  assert.deepEqual(
    now.entries.map(({ action }) => action),
    ['killed'],
  );
  assert.equal(
    respond(initialResponse, [threat('critical')], { ...settings, pauseOnHigh: false }, 0).effect,
    'kill',
  );
  assert.equal(
    respond(initialResponse, [threat('critical')], { ...settings, killOnCritical: false }, 0)
      .effect,
    'pause',
  );
  const off = { ...settings, killOnCritical: false, pauseOnHigh: false };
  const alone = respond(initialResponse, [threat('critical')], off, 0);
  assert.equal(alone.effect, 'none');
  assert.deepEqual(
    alone.entries.map(({ action }) => action),
    ['alerted'],
  );
});

test('a repeated finding is logged once in thirty seconds, then with a count', () => {
  let state = initialResponse;
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

test('a flood of findings is cut off, but those that pause are always logged', () => {
  const flood = Array.from({ length: 500 }, (_, index) => threat('warning', String(index)));
  const { entries } = respond(initialResponse, [threat('high', 'the one'), ...flood], settings, 0);
  assert.ok(entries.length < 130);
  assert.ok(entries.some(({ action }) => action === 'paused'));
  assert.equal(entries.at(-1)?.action, 'suppressed');
});

test('a container is killed at most once and never without permission', () => {
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
        let state = initialResponse;
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
