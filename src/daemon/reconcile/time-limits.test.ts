import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sessionConfig } from '../../../test/fakes/session-record.ts';
import { type Incus, IncusError } from '../../incus/client.ts';
import type { Instance } from '../../incus/shapes.ts';
import { Deadlines, deadlinesOf } from './time-limits.ts';

const started = '2026-01-01T00:00:00Z';
const startedMs = Date.parse(started);

function instance(duration: string | undefined, more: Partial<Instance> = {}): Instance {
  const config = sessionConfig({});
  return {
    name: 'coi-1',
    status: 'Running',
    last_used_at: started,
    config: { ...config, ...(duration === undefined ? {} : { 'user.coi.max_duration': duration }) },
    ...more,
  } as Instance;
}

test('the time limit runs from the start, only for running sessions of this coid that have one', () => {
  const found = deadlinesOf([instance('5000 graceful')], '/run/coi', new Map());
  assert.deepEqual(found.deadlines, [
    { id: 'm', name: 'coi-1', atMs: startedMs + 5000, graceful: true },
  ]);
  assert.equal(
    deadlinesOf([instance('5000 force')], '/run/coi', new Map()).deadlines[0]?.graceful,
    false,
  );
  for (const other of [
    instance(undefined),
    ...['', '1', '-1 force', '1 soon', '1e9 force', 'NaN graceful'].map((text) => instance(text)),
    instance('5000 graceful', { status: 'Stopped' }),
    instance('5000 graceful', { last_used_at: '1970-01-01T00:00:00Z' }),
  ])
    assert.deepEqual(deadlinesOf([other], '/run/coi', new Map()).deadlines, []);
  assert.deepEqual(deadlinesOf([instance('5000 graceful')], '/run/other', new Map()).deadlines, []);
});

test('a paused session is not asked to shut down, since it could not answer', () => {
  const frozen = deadlinesOf([instance('5 graceful', { status: 'Frozen' })], '/run/coi', new Map());
  assert.equal(frozen.deadlines[0]?.graceful, false);
});

test('a reboot inside does not extend the time limit, a stop and a start do', () => {
  const first = deadlinesOf([instance('5000 graceful')], '/run/coi', new Map());
  const later = { last_used_at: '2026-01-01T00:00:04Z' };
  const rebooted = deadlinesOf([instance('5000 graceful', later)], '/run/coi', first.since);
  assert.equal(rebooted.deadlines[0]?.atMs, startedMs + 5000);
  const stopped = deadlinesOf(
    [instance('5000 graceful', { status: 'Stopped' })],
    '/run/coi',
    first.since,
  );
  const again = deadlinesOf([instance('5000 graceful', later)], '/run/coi', stopped.since);
  assert.equal(again.deadlines[0]?.atMs, startedMs + 9000);
});

test('an end that Incus refuses is retried every second until it succeeds', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: startedMs + 6000 });
  const ending = new AbortController();
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  let attempts = 0;
  const reported: unknown[] = [];
  const session = instance('5000 force');
  const incus = {
    updateInstance: async (_: string, change: unknown) => void reported.push(change),
    instance: async () => ({ instance: session, etag: 'e' }),
    changeState: async (...[, , options]: Parameters<Incus['changeState']>) => {
      await options?.before?.();
      attempts += 1;
      if (attempts < 3) throw new Error('Instance is busy');
      return { wait: async () => undefined };
    },
  } as unknown as Incus;
  const ends = new Deadlines({
    incus,
    log: () => undefined,
    runDir: '/run/coi',
    now: () => new Date(),
    signal: ending.signal,
  });
  ends.reconcile([session]);
  for (const tries of [1, 2, 3]) {
    await settled();
    assert.equal(attempts, tries);
    t.mock.timers.tick(1000);
  }
  assert.deepEqual(reported[0], { config: { 'user.coi.time_over': '2026-01-01T00:00:06.000Z' } });
  ending.abort();
});

test('a later session with the same name is neither ended nor notified', async () => {
  const first = instance('5000 graceful');
  const later = { ...first, config: { ...first.config } };
  later.config['user.coi.mounts'] = first.config['user.coi.mounts']?.replace('"m"', '"l"') ?? '';
  let named = first;
  const asked: string[] = [];
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const incus = {
    instance: async () => {
      // The last check before the end.
      if (named === later) resolve();
      return { instance: named, etag: 'e' };
    },
    updateInstance: async () => undefined,
    changeState: async (...[, change, options]: Parameters<Incus['changeState']>) => {
      await options?.before?.();
      asked.push(change.force ? 'force' : 'graceful');
      const wait = async () => {
        named = later;
        throw new IncusError({ status: 400, method: 'GET', path: '/', message: 'gone' });
      };
      return { wait };
    },
  } as unknown as Incus;
  const ending = new AbortController();
  const ends = new Deadlines({
    incus,
    log: () => undefined,
    runDir: '/run/coi',
    now: () => new Date(startedMs + 6000),
    signal: ending.signal,
  });
  ends.reconcile([first]);
  await over;
  await new Promise((done) => setImmediate(done));
  ending.abort();
  assert.deepEqual(asked, ['graceful']);
});
