import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sessionConfig } from '../../../test/fakes/session-record.ts';
import type { Instance, InstanceStatus } from '../../incus/shapes.ts';
import { type Phase, sessionRecord } from '../../session/record/instance-record.ts';
import {
  debrisMs,
  dropDeleted,
  emptyMemory,
  killPendingMs,
  type Memory,
  type Observation,
  planReconcile,
  settledMs,
} from './plan.ts';

const runDir = '/run/coi-test';

interface InstanceOptions {
  readonly name?: string;
  readonly status?: InstanceStatus;
  readonly phase?: Phase;
  readonly persistent?: boolean;
  readonly used?: boolean;
  readonly runDir?: string;
  readonly ephemeral?: boolean;
}

function instance({
  name = 'c',
  status = 'Running',
  phase = 'live',
  persistent = false,
  used = phase === 'live',
  ephemeral = false,
  ...more
}: InstanceOptions): Instance {
  const config = sessionConfig({
    persistent,
    mounts: {
      id: `id-${name}`,
      runDir: more.runDir ?? runDir,
      mounts: [{ name: 'workspace', source: '/w', readonly: false }],
    },
    phase,
  });
  const lastUsed = used ? '2026-01-01T00:00:00Z' : '1970-01-01T00:00:00Z';
  return { name, status, config, ephemeral, last_used_at: lastUsed } as Instance;
}

function look(instances: readonly Instance[], more: Partial<Observation> = {}): Observation {
  const mounts = new Map(instances.map(({ name }) => [`id-${name}`, new Set(['workspace'])]));
  const endedBefore = new Set(['c', 'x']);
  return { nowMs: 0, runDir, instances, endedBefore, mounts, leases: [], ...more };
}

const ended = (...names: string[]): Memory => ({ ...emptyMemory, ended: new Set(names) });
const kinds = (one: Observation, memory: Memory = emptyMemory) =>
  planReconcile(one, memory).actions.map(({ kind }) => kind);

test('a running session is marked live once and left alone', () => {
  assert.deepEqual(kinds(look([instance({ phase: 'starting' })])), ['mark-live']);
  assert.deepEqual(kinds(look([instance({ phase: 'live' })])), []);
});

test('a container that Incus will delete is not marked, which would delay its stop', () => {
  assert.deepEqual(kinds(look([instance({ phase: 'starting', ephemeral: true })])), []);
});

test('a persistent session that a dead kill made ephemeral is kept; one being killed is left alone', () => {
  const killPending = [instance({ persistent: true, ephemeral: true })];
  const first = planReconcile(look(killPending), emptyMemory);
  assert.deepEqual([first.actions, first.nextPassMs], [[], killPendingMs]);
  assert.deepEqual(kinds(look(killPending, { nowMs: killPendingMs - 1 }), first.memory), []);
  assert.deepEqual(kinds(look(killPending, { nowMs: killPendingMs }), first.memory), ['mark-kept']);
  const other = planReconcile(look([instance({ persistent: true })]), first.memory);
  assert.equal(other.memory.killPendingSinceMs.size, 0);
});

test('a session whose end was reported is finished at once', () => {
  assert.deepEqual(kinds(look([instance({ status: 'Stopped' })]), ended('c')), ['finish']);
});

test('a reported end that the list does not show yet triggers another look soon', () => {
  const { actions, memory, nextPassMs } = planReconcile(look([instance({})]), ended('c'));
  assert.deepEqual(actions, []);
  assert.ok(memory.ended.has('c'));
  assert.ok(nextPassMs !== undefined && nextPassMs < 1000);
});

test('a session that is stopped without a reported end is finished only if it stays stopped', () => {
  const stopped = [instance({ status: 'Stopped' })];
  const first = planReconcile(look(stopped), emptyMemory);
  assert.deepEqual(first.actions, []);
  assert.equal(first.nextPassMs, settledMs);
  const early = planReconcile(look(stopped, { nowMs: settledMs - 1 }), first.memory);
  assert.deepEqual(early.actions, []);
  const rebooted = planReconcile(look([instance({})], { nowMs: 2000 }), first.memory);
  const again = planReconcile(look(stopped, { nowMs: settledMs }), rebooted.memory);
  assert.deepEqual(again.actions, []);
  const late = planReconcile(look(stopped, { nowMs: settledMs }), first.memory);
  assert.deepEqual(
    late.actions.map(({ kind }) => kind),
    ['finish'],
  );
});

test('a new container that shows as stopped is left alone until it can only be debris', () => {
  const newborn = [instance({ status: 'Stopped', phase: 'starting' })];
  const first = planReconcile(look(newborn), emptyMemory);
  assert.deepEqual(first.actions, []);
  const before = planReconcile(look(newborn, { nowMs: debrisMs - 1 }), first.memory);
  assert.deepEqual(before.actions, []);
  const after = planReconcile(look(newborn, { nowMs: debrisMs }), first.memory);
  assert.equal(after.actions[0]?.kind, 'finish');
});

test('an end during an Incus listing is remembered, whether or not the container is listed', () => {
  const during = { endedBefore: new Set<string>() };
  const { memory } = planReconcile(look([], during), ended('c'));
  assert.deepEqual([...memory.ended], ['c']);
  const stopped = instance({ status: 'Stopped', phase: 'starting', used: true });
  assert.deepEqual(kinds(look([stopped]), memory), ['finish']);
  // The list was made after that end: it is over.
  assert.deepEqual([...planReconcile(look([]), memory).memory.ended], []);
});

test('a persistent session that has run is never deleted', () => {
  const times = [0, settledMs, debrisMs * 10];
  for (const made of [{ phase: 'live' as const }, { phase: 'starting' as const, used: true }]) {
    for (const memory of [
      emptyMemory,
      ended('c'),
      { ...emptyMemory, stoppedSinceMs: new Map([['id-c', 0]]) },
    ]) {
      for (const nowMs of times) {
        const one = look([instance({ status: 'Stopped', persistent: true, ...made })], { nowMs });
        assert.deepEqual(kinds(one, memory), []);
      }
    }
  }
});

test('instances of another coid and instances without a session are not touched', () => {
  const foreign = [
    instance({ status: 'Stopped', runDir: '/run/coi' }),
    { name: 'x', status: 'Stopped', config: {} } as Instance,
  ];
  assert.deepEqual(
    kinds(look(foreign, { mounts: new Map(), nowMs: debrisMs * 2 }), ended('c', 'x')),
    [],
  );
});

test('missing mounts are restored before anything else', () => {
  const one = look([instance({ status: 'Stopped' }), instance({ name: 'd' })], {
    mounts: new Map([['id-d', new Set<string>()]]),
  });
  assert.deepEqual(kinds(one, ended('c')), ['restore-mounts', 'restore-mounts', 'finish']);
});

test('a lease ends when its container exists or it expires, not before', () => {
  const leases = [
    { id: 'id-c', expiresMs: 50 },
    { id: 'old', expiresMs: 100 },
    { id: 'new', expiresMs: 130 },
  ];
  const { actions, nextPassMs } = planReconcile(
    look([instance({})], { leases, nowMs: 100 }),
    emptyMemory,
  );
  assert.deepEqual(actions, [
    { kind: 'drop-lease', id: 'id-c' },
    { kind: 'expire-lease', id: 'old' },
  ]);
  assert.equal(nextPassMs, 30);
});

test('mounts without a container or lease are removed', () => {
  const mounts = new Map(['id-c', 'leased', 'stray'].map((id) => [id, new Set(['workspace'])]));
  const leases = [{ id: 'leased', expiresMs: 1 }];
  assert.deepEqual(planReconcile(look([instance({})], { mounts, leases }), emptyMemory).actions, [
    { kind: 'remove-mounts', id: 'stray' },
  ]);
});

test('a live session is finished exactly when it was seen stopped for five seconds', () => {
  const step = fc.record({
    status: fc.constantFrom<InstanceStatus>('Running', 'Frozen', 'Stopped', 'Stopped', 'Error'),
    stepMs: fc.integer({ min: 0, max: settledMs }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let memory = emptyMemory;
      let nowMs = 0;
      let stoppedSinceMs: number | undefined;
      for (const { status, stepMs } of steps) {
        nowMs += stepMs;
        stoppedSinceMs = status === 'Stopped' ? (stoppedSinceMs ?? nowMs) : undefined;
        const result = planReconcile(look([instance({ status })], { nowMs }), memory);
        memory = result.memory;
        const finished = result.actions.some(({ kind }) => kind === 'finish');
        const settled = stoppedSinceMs !== undefined && nowMs - stoppedSinceMs >= settledMs;
        assert.equal(finished, settled);
      }
    }),
  );
});

test('state kept per mount id is forgotten with the container', () => {
  const one = instance({ name: 'one' });
  const id = sessionRecord(one.config)?.mounts.id ?? '';
  const kept = new Map([
    [id, 'missing'],
    ['gone', 'missing'],
  ]);
  dropDeleted(kept, [one]);
  assert.deepEqual([...kept.keys()], [id]);
});
