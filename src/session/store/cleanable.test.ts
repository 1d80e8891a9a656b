import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstanceStatus } from '../../incus/shapes.ts';
import type { SessionId } from '../../names.ts';
import type { Container, SessionRecord } from '../record/instance-record.ts';
import { type CleanRequest, findCleanable, isStillCleanable } from './cleanable.ts';
import type { StoredEntry } from './saved-sessions.ts';

const hourMs = 3_600_000;
const request = (more: Partial<CleanRequest> = {}): CleanRequest => ({
  all: false,
  named: [],
  sessions: false,
  orphans: false,
  nowMs: hourMs,
  ...more,
});
const container = (
  name: string,
  status: InstanceStatus,
  persistent: boolean | undefined,
): Container =>
  ({
    name,
    status,
    session:
      persistent === undefined
        ? undefined
        : ({ persistent, session: `s-${name}` } as SessionRecord),
    instance: {
      name,
      config: {},
      expanded_devices: { root: { type: 'disk', path: '/', pool: 'fast' } },
    },
  }) as unknown as Container;
const saved = (id: string): StoredEntry =>
  ({ kind: 'saved', dir: `/s/${id}`, metadata: { sessionId: id as SessionId } }) as StoredEntry;
const debris = (id: string, modifiedMs: number): StoredEntry => ({
  kind: 'debris',
  dir: `/s/${id}`,
  id: id as SessionId,
  tool: 'claude',
  modifiedMs,
});
const names = (found: ReturnType<typeof findCleanable>) =>
  found.map((item) => (item.kind === 'container' ? item.ref.name : item.dir));

const all = [
  container('run', 'Running', false),
  container('gone', 'Stopped', false),
  container('kept', 'Stopped', true),
  container('other', 'Stopped', undefined),
];

test('by default only stopped ephemeral containers are cleaned', () => {
  assert.deepEqual(names(findCleanable(request(), all, [saved('a')])), ['gone']);
});

test('a persistent container is cleaned only by name or with --all, and a running one never', () => {
  assert.deepEqual(names(findCleanable(request({ all: true }), all, [])), [
    'gone',
    'kept',
    'other',
  ]);
  assert.deepEqual(names(findCleanable(request({ named: ['kept', 'run'] }), all, [])), ['kept']);
});

test('--pools cleans stopped containers in pools that are no longer configured, persistent or not', () => {
  assert.deepEqual(names(findCleanable(request({ pools: new Set(['fast']) }), all, [])), ['gone']);
  assert.deepEqual(names(findCleanable(request({ pools: new Set(['slow']) }), all, [])), [
    'gone',
    'kept',
    'other',
  ]);
});

test('--sessions cleans saved sessions that no container uses, and no container', () => {
  assert.deepEqual(
    names(findCleanable(request({ sessions: true }), all, [saved('a'), saved('s-kept')])),
    ['/s/a'],
  );
});

test('--orphans cleans leftovers of interrupted starts once they are old', () => {
  const left = [debris('old', 0), debris('new', hourMs - 1000), saved('a')];
  assert.deepEqual(names(findCleanable(request({ orphans: true }), [], left)), ['/s/old']);
});

test('a container or session that changed since it was listed is not cleaned', () => {
  const made = (uuid: string, status: InstanceStatus = 'Stopped') => {
    const one = container('kept', status, true);
    return { ...one, instance: { ...one.instance, config: { 'volatile.uuid': uuid } } };
  };
  const found = (one: Container) => findCleanable(request({ all: true }), [one], []);
  const [item] = found(made('one'));
  assert.ok(item);
  assert.ok(isStillCleanable(item, found(made('one'))));
  assert.ok(!isStillCleanable(item, found(made('one', 'Running'))));
  assert.ok(!isStillCleanable(item, found(made('two'))));
  const stored = (containers: readonly Container[], savedAt: number) => {
    const entry = saved('s-run');
    if (entry.kind !== 'saved') throw new Error('not saved');
    const ended = { ...entry, metadata: { ...entry.metadata, savedAt: new Date(savedAt) } };
    return findCleanable(request({ sessions: true }), containers, [ended]);
  };
  const [session] = stored([], 1);
  assert.ok(session);
  assert.ok(isStillCleanable(session, stored([], 1)));
  assert.ok(!isStillCleanable(session, stored([container('run', 'Running', false)], 1)));
  assert.ok(!isStillCleanable(session, stored([], 2)));
});
