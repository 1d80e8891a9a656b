import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sessionConfig } from '../../../test/fakes/session-record.ts';
import { type Incus, IncusError } from '../../incus/client.ts';
import type { Instance } from '../../incus/shapes.ts';
import { Deadlines, deadlines } from './time-limits.ts';

const started = '2026-01-01T00:00:00Z';
const startedMs = Date.parse(started);

function instance(duration: string | undefined, more: Partial<Instance> = {}): Instance {
  const config = sessionConfig({
    workspace: '/w',
    target: '/workspace',
    slot: 1,
    tool: 'claude',
    session: 's',
    persistent: false,
    alias: undefined,
    profile: undefined,
    owner: 1,
    network: 'open',
    mounts: { id: 'm', runDir: '/run/coi', ownerUid: 1, ownerGid: 1, idmapBase: 1, mounts: [] },
    phase: 'live',
  });
  return {
    name: 'coi-1',
    status: 'Running',
    last_used_at: started,
    config: { ...config, ...(duration === undefined ? {} : { 'user.coi.max_duration': duration }) },
    ...more,
  } as Instance;
}

test('the time runs from the start, and only for sessions of this coid that run and have a limit', () => {
  const found = deadlines([instance('5000 graceful')], '/run/coi', new Map());
  assert.deepEqual(found.deadlines, [
    { id: 'm', name: 'coi-1', atMs: startedMs + 5000, graceful: true },
  ]);
  assert.equal(
    deadlines([instance('5000 force')], '/run/coi', new Map()).deadlines[0]?.graceful,
    false,
  );
  for (const other of [
    instance(undefined),
    ...['', '1', '-1 force', '1 soon', '1e9 force', 'NaN graceful'].map((text) => instance(text)),
    instance('5000 graceful', { status: 'Stopped' }),
    instance('5000 graceful', { last_used_at: '1970-01-01T00:00:00Z' }),
  ])
    assert.deepEqual(deadlines([other], '/run/coi', new Map()).deadlines, []);
  assert.deepEqual(deadlines([instance('5000 graceful')], '/run/other', new Map()).deadlines, []);
});

test('what is paused is not asked, since it could not answer', () => {
  const frozen = deadlines([instance('5 graceful', { status: 'Frozen' })], '/run/coi', new Map());
  assert.equal(frozen.deadlines[0]?.graceful, false);
});

test('a reboot inside wins no time, a stop and a start do', () => {
  const first = deadlines([instance('5000 graceful')], '/run/coi', new Map());
  const later = { last_used_at: '2026-01-01T00:00:04Z' };
  const rebooted = deadlines([instance('5000 graceful', later)], '/run/coi', first.since);
  assert.equal(rebooted.deadlines[0]?.atMs, startedMs + 5000);
  const stopped = deadlines(
    [instance('5000 graceful', { status: 'Stopped' })],
    '/run/coi',
    first.since,
  );
  const again = deadlines([instance('5000 graceful', later)], '/run/coi', stopped.since);
  assert.equal(again.deadlines[0]?.atMs, startedMs + 9000);
});

test('an end that Incus refuses is tried again after a second, until it is taken', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: startedMs + 6000 });
  const ending = new AbortController();
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  let asked = 0;
  const told: unknown[] = [];
  const session = instance('5000 force');
  const incus = {
    updateInstance: async (_: string, change: unknown) => void told.push(change),
    instance: async () => ({ instance: session, etag: 'e' }),
    changeState: async (...[, , options]: Parameters<Incus['changeState']>) => {
      await options?.before?.();
      asked += 1;
      if (asked < 3) throw new Error('Instance is busy');
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
  ends.follow([session]);
  for (const tries of [1, 2, 3]) {
    await settled();
    assert.equal(asked, tries);
    t.mock.timers.tick(1000);
  }
  assert.deepEqual(told[0], { config: { 'user.coi.time_over': '2026-01-01T00:00:06.000Z' } });
  ending.abort();
});

test('a later session, which got the name while the guest of the first was asked, is neither ended nor told', async () => {
  const first = instance('5000 graceful');
  const later = { ...first, config: { ...first.config } };
  later.config['user.coi.mounts'] = first.config['user.coi.mounts']?.replace('"m"', '"l"') ?? '';
  let named = first;
  const asked: string[] = [];
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const incus = {
    instance: async () => {
      // The last look of the end.
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
  ends.follow([first]);
  await over;
  await new Promise((done) => setImmediate(done));
  ending.abort();
  assert.deepEqual(asked, ['graceful']);
});
