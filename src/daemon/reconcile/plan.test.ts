import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sessionConfig } from '../../../test/fakes/session-record.ts';
import type { Instance, InstanceStatus } from '../../incus/shapes.ts';
import { type Phase, sessionRecord } from '../../session/record/instance-record.ts';
import {
  debrisMs,
  doomedMs,
  forgetGone,
  type Look,
  type Memory,
  nothingSeen,
  reconciliation,
  settledMs,
} from './plan.ts';

const runDir = '/run/coi-test';

interface Made {
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
}: Made): Instance {
  const config = sessionConfig({
    workspace: '/w',
    target: '/workspace',
    slot: 1,
    tool: 'claude',
    session: 's',
    persistent,
    alias: undefined,
    profile: undefined,
    owner: 1000,
    network: 'open',
    mounts: {
      id: `id-${name}`,
      runDir: more.runDir ?? runDir,
      ownerUid: 1000,
      ownerGid: 1000,
      idmapBase: 1_065_536,
      mounts: [{ name: 'workspace', source: '/w', readonly: false }],
    },
    phase,
  });
  const lastUsed = used ? '2026-01-01T00:00:00Z' : '1970-01-01T00:00:00Z';
  return { name, status, config, ephemeral, last_used_at: lastUsed } as Instance;
}

function look(instances: readonly Instance[], more: Partial<Look> = {}): Look {
  const mounts = new Map(instances.map(({ name }) => [`id-${name}`, new Set(['workspace'])]));
  const endedBefore = new Set(['c', 'x']);
  return { nowMs: 0, runDir, instances, endedBefore, mounts, leases: [], ...more };
}

const ended = (...names: string[]): Memory => ({ ...nothingSeen, ended: new Set(names) });
const kinds = (one: Look, memory: Memory = nothingSeen) =>
  reconciliation(one, memory).actions.map(({ kind }) => kind);

test('a running session is marked live once, and nothing else happens to it', () => {
  assert.deepEqual(kinds(look([instance({ phase: 'starting' })])), ['mark-live']);
  assert.deepEqual(kinds(look([instance({ phase: 'live' })])), []);
});

test('what Incus deletes by itself is not marked, which would be in the way of its stop', () => {
  assert.deepEqual(kinds(look([instance({ phase: 'starting', ephemeral: true })])), []);
});

test('a persistent session that a dead kill left to Incus to delete is kept after all, one that is being killed is not touched', () => {
  const doomed = [instance({ persistent: true, ephemeral: true })];
  const first = reconciliation(look(doomed), nothingSeen);
  assert.deepEqual([first.actions, first.lookAgainMs], [[], doomedMs]);
  assert.deepEqual(kinds(look(doomed, { nowMs: doomedMs - 1 }), first.memory), []);
  assert.deepEqual(kinds(look(doomed, { nowMs: doomedMs }), first.memory), ['mark-kept']);
  const other = reconciliation(look([instance({ persistent: true })]), first.memory);
  assert.equal(other.memory.doomedSinceMs.size, 0);
});

test('a session whose end was reported is finished at once', () => {
  assert.deepEqual(kinds(look([instance({ status: 'Stopped' })]), ended('c')), ['finish']);
});

test('a reported end that the list does not show yet is looked at again soon', () => {
  const { actions, memory, lookAgainMs } = reconciliation(look([instance({})]), ended('c'));
  assert.deepEqual(actions, []);
  assert.ok(memory.ended.has('c'));
  assert.ok(lookAgainMs !== undefined && lookAgainMs < 1000);
});

test('a session that shows as stopped without a reported end is finished only when it stays so', () => {
  const stopped = [instance({ status: 'Stopped' })];
  const first = reconciliation(look(stopped), nothingSeen);
  assert.deepEqual(first.actions, []);
  assert.equal(first.lookAgainMs, settledMs);
  const early = reconciliation(look(stopped, { nowMs: settledMs - 1 }), first.memory);
  assert.deepEqual(early.actions, []);
  const rebooted = reconciliation(look([instance({})], { nowMs: 2000 }), first.memory);
  const again = reconciliation(look(stopped, { nowMs: settledMs }), rebooted.memory);
  assert.deepEqual(again.actions, []);
  const late = reconciliation(look(stopped, { nowMs: settledMs }), first.memory);
  assert.deepEqual(
    late.actions.map(({ kind }) => kind),
    ['finish'],
  );
});

test('a newborn that shows as stopped is left alone until it can only be debris', () => {
  const newborn = [instance({ status: 'Stopped', phase: 'starting' })];
  const first = reconciliation(look(newborn), nothingSeen);
  assert.deepEqual(first.actions, []);
  const before = reconciliation(look(newborn, { nowMs: debrisMs - 1 }), first.memory);
  assert.deepEqual(before.actions, []);
  const after = reconciliation(look(newborn, { nowMs: debrisMs }), first.memory);
  assert.equal(after.actions[0]?.kind, 'finish');
});

test('an end that came while Incus made its list is remembered, whether the list has the container or not', () => {
  const during = { endedBefore: new Set<string>() };
  const { memory } = reconciliation(look([], during), ended('c'));
  assert.deepEqual([...memory.ended], ['c']);
  const stopped = instance({ status: 'Stopped', phase: 'starting', used: true });
  assert.deepEqual(kinds(look([stopped]), memory), ['finish']);
  // The list was made after that end: it is over.
  assert.deepEqual([...reconciliation(look([]), memory).memory.ended], []);
});

test('a persistent session that has run is never deleted', () => {
  const times = [0, settledMs, debrisMs * 10];
  for (const made of [{ phase: 'live' as const }, { phase: 'starting' as const, used: true }]) {
    for (const memory of [
      nothingSeen,
      ended('c'),
      { ...nothingSeen, stoppedSinceMs: new Map([['id-c', 0]]) },
    ]) {
      for (const nowMs of times) {
        const one = look([instance({ status: 'Stopped', persistent: true, ...made })], { nowMs });
        assert.deepEqual(kinds(one, memory), []);
      }
    }
  }
});

test('instances of another coid are not touched, nor is what is not a session', () => {
  const foreign = [
    instance({ status: 'Stopped', runDir: '/run/coi' }),
    { name: 'x', status: 'Stopped', config: {} } as Instance,
  ];
  assert.deepEqual(
    kinds(look(foreign, { mounts: new Map(), nowMs: debrisMs * 2 }), ended('c', 'x')),
    [],
  );
});

test('missing mounts are made before anything else is done', () => {
  const one = look([instance({ status: 'Stopped' }), instance({ name: 'd' })], {
    mounts: new Map([['id-d', new Set<string>()]]),
  });
  assert.deepEqual(kinds(one, ended('c')), ['restore-mounts', 'restore-mounts', 'finish']);
});

test('a lease ends when its container is there or its time is over, not before', () => {
  const leases = [
    { id: 'id-c', expiresMs: 50 },
    { id: 'old', expiresMs: 100 },
    { id: 'new', expiresMs: 130 },
  ];
  const { actions, lookAgainMs } = reconciliation(
    look([instance({})], { leases, nowMs: 100 }),
    nothingSeen,
  );
  assert.deepEqual(actions, [
    { kind: 'drop-lease', id: 'id-c' },
    { kind: 'expire-lease', id: 'old' },
  ]);
  assert.equal(lookAgainMs, 30);
});

test('mounts that belong to no container and no lease are removed', () => {
  const mounts = new Map(['id-c', 'leased', 'stray'].map((id) => [id, new Set(['workspace'])]));
  const leases = [{ id: 'leased', expiresMs: 1 }];
  assert.deepEqual(reconciliation(look([instance({})], { mounts, leases }), nothingSeen).actions, [
    { kind: 'remove-mounts', id: 'stray' },
  ]);
});

test('whatever is seen, a live session is finished exactly when every look of five seconds saw it stopped', () => {
  const step = fc.record({
    status: fc.constantFrom<InstanceStatus>('Running', 'Frozen', 'Stopped', 'Stopped', 'Error'),
    stepMs: fc.integer({ min: 0, max: settledMs }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let memory = nothingSeen;
      let nowMs = 0;
      let stoppedSinceMs: number | undefined;
      for (const { status, stepMs } of steps) {
        nowMs += stepMs;
        stoppedSinceMs = status === 'Stopped' ? (stoppedSinceMs ?? nowMs) : undefined;
        const result = reconciliation(look([instance({ status })], { nowMs }), memory);
        memory = result.memory;
        const finished = result.actions.some(({ kind }) => kind === 'finish');
        const settled = stoppedSinceMs !== undefined && nowMs - stoppedSinceMs >= settledMs;
        assert.equal(finished, settled);
      }
    }),
  );
});

test('what is kept by the id of mounts goes with the container', () => {
  const one = instance({ name: 'one' });
  const id = sessionRecord(one.config)?.mounts.id ?? '';
  const kept = new Map([
    [id, 'missing'],
    ['gone', 'missing'],
  ]);
  forgetGone(kept, [one]);
  assert.deepEqual([...kept.keys()], [id]);
});
