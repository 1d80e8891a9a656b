import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Instance } from '../../incus/shapes.ts';
import { Claims, claimAgain } from './session-claims.ts';

function claims() {
  const world = { nowMs: 0, dead: new Set<number>() };
  const made = new Claims({
    elapsedMs: () => world.nowMs,
    holdMs: 60_000,
    isAlive: (pid) => !world.dead.has(pid),
  });
  return { world, made };
}

const first = { kind: 'new' as const, ownerUid: 1003, session: 's', startId: 'one', pid: 7 };
const second = { ...first, startId: 'two', pid: 8 };
const sameProcess = { ...second, pid: first.pid };

test('a session that one process starts is refused to another, by its container', () => {
  const { made } = claims();
  made.refuse(first);
  made.take(first, 'coi-1a2b3c4d-1');
  assert.throws(() => made.refuse(second), /'s' is being started in coi-1a2b3c4d-1/);
});

test('a second start of the session is refused, also one of the same process', () => {
  const { made } = claims();
  made.take(first, 'coi-1a2b3c4d-1');
  assert.throws(() => made.take(sameProcess, 'coi-1a2b3c4d-2'), /is being started/);
});

test('one start may ask twice, as a restart does that changes keys between', () => {
  const { made } = claims();
  made.take(first, 'coi-1a2b3c4d-1');
  made.take(first, 'coi-1a2b3c4d-1');
});

test('a start that failed gives its claim up at once, and no other one', () => {
  const { made } = claims();
  made.take(first, 'coi-1a2b3c4d-1');
  made.giveUp('two');
  assert.throws(() => made.refuse(sameProcess), /is being started/);
  made.giveUp('one');
  made.refuse(sameProcess);
});

test('neither other sessions nor other owners are kept from starting', () => {
  const { made } = claims();
  made.take(first, 'coi-1a2b3c4d-1');
  made.refuse({ ...second, session: 't' });
  made.refuse({ ...second, ownerUid: 1004 });
});

test('the claim of a process that was killed is no claim, nor one that is too old', () => {
  const { world, made } = claims();
  made.take(first, 'coi-1a2b3c4d-1');
  world.dead.add(7);
  made.refuse(second);
  made.take(second, 'coi-1a2b3c4d-1');
  world.nowMs = 60_000;
  made.refuse({ ...first, pid: 9 });
});

test('what has started is held no longer, and a new container holds none that is started again', () => {
  const { made } = claims();
  made.take(first, 'coi-1a2b3c4d-1');
  made.refuse({ ...second, kind: 'again' });
  made.settled('coi-1a2b3c4d-2');
  assert.throws(() => made.refuse(second), /is being started/);
  made.settled('coi-1a2b3c4d-1');
  made.refuse(second);
});

describe('starting a stopped container again', () => {
  const again = { ...second, kind: 'again' as const };
  const { signal } = new AbortController();
  /** Incus, with a task of that status on the container `c`. */
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

  test('is refused while Incus is making it, also if its maker was killed', async () => {
    const { made } = claims();
    await assert.rejects(
      claimAgain(busy(103), made, never, again, signal),
      /'s' is being started in c/,
    );
    await claimAgain(busy(200), made, never, again, signal);
    assert.throws(() => made.refuse({ ...again, startId: 'three' }), /is being started in c/);
  });

  test('is refused while the start that made it is not over', async () => {
    const { made } = claims();
    made.take(first, 'c');
    await assert.rejects(
      claimAgain(busy(200), made, never, again, signal),
      /is being started in c/,
    );
    made.giveUp('one');
    await claimAgain(busy(200), made, never, again, signal);
  });

  test('is allowed whatever Incus does, once it ran', async () => {
    for (const lived of [ran, instance('1970-01-01T00:00:00Z', 'live')]) {
      const { made } = claims();
      made.take(first, 'c');
      await claimAgain(busy(103), made, lived, again, signal);
    }
  });
});
