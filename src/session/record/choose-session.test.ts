import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstanceStatus } from '../../incus/shapes.ts';
import type { SessionId, Slot } from '../../names.ts';
import { choice, type SavedSession, type ShellWish } from './choose-session.ts';
import type { Container, SessionRecord } from './instance-record.ts';

const id = (n: number) => `00000000-0000-4000-8000-00000000000${n}` as SessionId;
const saved = (n: number, more: Partial<SavedSession> = {}): SavedSession => ({
  id: id(n),
  workspace: '/w',
  tool: 'claude',
  slot: n as Slot,
  persistent: false,
  profile: undefined,
  ...more,
});
const container = (n: number, status: InstanceStatus, persistent: boolean): Container =>
  ({
    name: `coi-x-${n}`,
    status,
    session: { session: id(n), slot: n, persistent, phase: 'live' } as unknown as SessionRecord,
    instance: { last_used_at: '1970-01-01T00:00:00Z' },
  }) as Container;
const wish = (more: Partial<ShellWish> = {}): ShellWish => ({
  resume: undefined,
  slot: undefined,
  persistent: undefined,
  ...more,
});
const nowhere = () => undefined;

test('without a wish a new session starts, also beside a stopped persistent container', () => {
  assert.deepEqual(choice(wish(), [container(1, 'Stopped', true)], [saved(1)], nowhere), {
    kind: 'new',
    slot: undefined,
  });
});

test('--persistent takes the lowest stopped persistent container first', () => {
  const chosen = choice(
    wish({ persistent: true }),
    [container(3, 'Stopped', true), container(1, 'Running', true), container(2, 'Stopped', true)],
    [],
    nowhere,
  );
  assert.equal(chosen.kind === 'restart' && chosen.container.name, 'coi-x-2');
});

test('a slot whose persistent container is stopped starts it again; an ephemeral leftover is never reused', () => {
  assert.equal(
    choice(wish({ slot: 2 as Slot }), [container(2, 'Stopped', true)], [], nowhere).kind,
    'restart',
  );
  assert.equal(
    choice(
      wish({ slot: 2 as Slot, persistent: true }),
      [container(2, 'Stopped', false)],
      [],
      nowhere,
    ).kind,
    'new',
  );
});

test('--resume takes the newest of this workspace, in its old slot unless another is asked for', () => {
  const chosen = choice(wish({ resume: 'newest' }), [], [saved(2), saved(1)], nowhere);
  assert.deepEqual(chosen, { kind: 'resume', saved: saved(2), slot: 2, leftover: undefined });
  const moved = choice(wish({ resume: id(1), slot: 5 as Slot }), [], [saved(2), saved(1)], nowhere);
  assert.deepEqual(moved, { kind: 'resume', saved: saved(1), slot: 5, leftover: undefined });
});

test('resuming a persistent session starts its own container and goes on in it', () => {
  const chosen = choice(
    wish({ resume: 'newest' }),
    [container(1, 'Stopped', true)],
    [saved(1)],
    nowhere,
  );
  assert.equal(chosen.kind, 'restart');
  assert.equal(chosen.kind === 'restart' && chosen.saved?.id, id(1));
});

test('a live session is not resumed, and the container is named', () => {
  for (const status of ['Running', 'Frozen', 'Starting'] as const) {
    assert.throws(
      () => choice(wish({ resume: id(1) }), [container(1, status, false)], [saved(1)], nowhere),
      (error: Error & { code: string }) =>
        error.code === 'session-live' && error.message.includes('coi-x-1'),
    );
  }
});

test('unknown and foreign ids are told apart', () => {
  assert.throws(() => choice(wish({ resume: 'newest' }), [], [], nowhere), /no previous session/);
  assert.throws(() => choice(wish({ resume: id(9) }), [], [saved(1)], nowhere), /not found/);
  assert.throws(
    () => choice(wish({ resume: id(9) }), [], [saved(1)], () => '/elsewhere'),
    /another workspace: \/elsewhere/,
  );
});
