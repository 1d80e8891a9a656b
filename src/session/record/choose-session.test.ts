import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstanceStatus } from '../../incus/shapes.ts';
import type { SessionId, Slot } from '../../names.ts';
import { chooseSession, type SavedSession, type ShellRequest } from './choose-session.ts';
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
const request = (more: Partial<ShellRequest> = {}): ShellRequest => ({
  resume: undefined,
  slot: undefined,
  persistent: undefined,
  ...more,
});
const nowhere = () => undefined;

test('by default a new session starts, even next to a stopped persistent container', () => {
  assert.deepEqual(chooseSession(request(), [container(1, 'Stopped', true)], [saved(1)], nowhere), {
    kind: 'new',
    slot: undefined,
  });
});

test('--persistent takes the lowest stopped persistent container first', () => {
  const chosen = chooseSession(
    request({ persistent: true }),
    [container(3, 'Stopped', true), container(1, 'Running', true), container(2, 'Stopped', true)],
    [],
    nowhere,
  );
  assert.equal(chosen.kind === 'restart' && chosen.container.name, 'coi-x-2');
});

test('a slot with a stopped persistent container restarts it; an ephemeral leftover is never reused', () => {
  assert.equal(
    chooseSession(request({ slot: 2 as Slot }), [container(2, 'Stopped', true)], [], nowhere).kind,
    'restart',
  );
  assert.equal(
    chooseSession(
      request({ slot: 2 as Slot, persistent: true }),
      [container(2, 'Stopped', false)],
      [],
      nowhere,
    ).kind,
    'new',
  );
});

test("--resume takes the workspace's newest session, in its old slot unless another is requested", () => {
  const chosen = chooseSession(request({ resume: 'newest' }), [], [saved(2), saved(1)], nowhere);
  assert.deepEqual(chosen, { kind: 'resume', saved: saved(2), slot: 2, leftover: undefined });
  const moved = chooseSession(
    request({ resume: id(1), slot: 5 as Slot }),
    [],
    [saved(2), saved(1)],
    nowhere,
  );
  assert.deepEqual(moved, { kind: 'resume', saved: saved(1), slot: 5, leftover: undefined });
});

test('resuming a persistent session restarts its own container', () => {
  const chosen = chooseSession(
    request({ resume: 'newest' }),
    [container(1, 'Stopped', true)],
    [saved(1)],
    nowhere,
  );
  assert.equal(chosen.kind, 'restart');
  assert.equal(chosen.kind === 'restart' && chosen.saved?.id, id(1));
});

test('a live session is not resumed, and the error names its container', () => {
  for (const status of ['Running', 'Frozen', 'Starting'] as const) {
    assert.throws(
      () =>
        chooseSession(
          request({ resume: id(1) }),
          [container(1, status, false)],
          [saved(1)],
          nowhere,
        ),
      (error: Error & { code: string }) =>
        error.code === 'session-live' && error.message.includes('coi-x-1'),
    );
  }
});

test('unknown ids and ids of other workspaces have different errors', () => {
  assert.throws(
    () => chooseSession(request({ resume: 'newest' }), [], [], nowhere),
    /no previous session/,
  );
  assert.throws(
    () => chooseSession(request({ resume: id(9) }), [], [saved(1)], nowhere),
    /not found/,
  );
  assert.throws(
    () => chooseSession(request({ resume: id(9) }), [], [saved(1)], () => '/elsewhere'),
    /another workspace: \/elsewhere/,
  );
});
