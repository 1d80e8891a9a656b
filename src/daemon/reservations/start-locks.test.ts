import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Instance } from '../../incus/shapes.ts';
import { lockRestart, StartLocks } from './start-locks.ts';

function claims() {
  const world = { nowMs: 0, dead: new Set<number>() };
  const made = new StartLocks({
    elapsedMs: () => world.nowMs,
    limitMs: 60_000,
    isAlive: (pid) => !world.dead.has(pid),
  });
  return { world, made };
}

const first = { kind: 'new' as const, ownerUid: 1003, session: 's', startId: 'one', pid: 7 };
const second = { ...first, startId: 'two', pid: 8 };
const sameProcess = { ...second, pid: first.pid };

test('a session that is being started is refused to another process, naming its container', () => {
  const { made } = claims();
  made.check(first);
  made.acquire(first, 'coi-1a2b3c4d-1');
  assert.throws(() => made.check(second), /'s' is being started in coi-1a2b3c4d-1/);
});

test('a concurrent second start of a session is refused, even in the same process', () => {
  const { made } = claims();
  made.acquire(first, 'coi-1a2b3c4d-1');
  assert.throws(() => made.acquire(sameProcess, 'coi-1a2b3c4d-2'), /is being started/);
});

test('one start may take its lock twice, as a restart that changes keys in between does', () => {
  const { made } = claims();
  made.acquire(first, 'coi-1a2b3c4d-1');
  made.acquire(first, 'coi-1a2b3c4d-1');
});

test('a failed start releases its own lock at once and no other', () => {
  const { made } = claims();
  made.acquire(first, 'coi-1a2b3c4d-1');
  made.releaseStart('two');
  assert.throws(() => made.check(sameProcess), /is being started/);
  made.releaseStart('one');
  made.check(sameProcess);
});

test('other sessions and other owners can start meanwhile', () => {
  const { made } = claims();
  made.acquire(first, 'coi-1a2b3c4d-1');
  made.check({ ...second, session: 't' });
  made.check({ ...second, ownerUid: 1004 });
});

test('a lock of a killed process, or one that is too old, is void', () => {
  const { world, made } = claims();
  made.acquire(first, 'coi-1a2b3c4d-1');
  world.dead.add(7);
  made.check(second);
  made.acquire(second, 'coi-1a2b3c4d-1');
  world.nowMs = 60_000;
  made.check({ ...first, pid: 9 });
});

test('a start lock is released on start; "new" and "again" locks are independent', () => {
  const { made } = claims();
  made.acquire(first, 'coi-1a2b3c4d-1');
  made.check({ ...second, kind: 'again' });
  made.releaseContainer('coi-1a2b3c4d-2');
  assert.throws(() => made.check(second), /is being started/);
  made.releaseContainer('coi-1a2b3c4d-1');
  made.check(second);
});

describe('restarting a stopped container', () => {
  const again = { ...second, kind: 'again' as const };
  const { signal } = new AbortController();
  /** Incus with an operation of that status for the container `c`. */
  const busy = (statusCode: number) => ({
    query: async () => ({
      running: [
        {
          ...{ id: 'o', class: 'task', status_code: statusCode },
          resources: { instances: ['/1.0/instances/c'] },
        },
      ],
    }),
  });
  const instance = (used: string, phase = 'starting') =>
    ({
      ...{ name: 'c', status: 'Stopped', last_used_at: used },
      config: { 'user.coi.phase': phase },
    }) as unknown as Instance;
  const never = instance('1970-01-01T00:00:00Z');
  const ran = instance('2026-01-01T00:00:00Z');

  test('a restart is refused while Incus is creating the container, even if the creator was killed', async () => {
    const { made } = claims();
    await assert.rejects(
      lockRestart(busy(103), made, never, again, signal),
      /'s' is being started in c/,
    );
    await lockRestart(busy(200), made, never, again, signal);
    assert.throws(() => made.check({ ...again, startId: 'three' }), /is being started in c/);
  });

  test('a restart is refused until the start that created the container is over', async () => {
    const { made } = claims();
    made.acquire(first, 'c');
    await assert.rejects(
      lockRestart(busy(200), made, never, again, signal),
      /is being started in c/,
    );
    made.releaseStart('one');
    await lockRestart(busy(200), made, never, again, signal);
  });

  test('a restart is allowed once the container ran, whatever Incus is doing', async () => {
    for (const lived of [ran, instance('1970-01-01T00:00:00Z', 'live')]) {
      const { made } = claims();
      made.acquire(first, 'c');
      await lockRestart(busy(103), made, lived, again, signal);
    }
  });
});
