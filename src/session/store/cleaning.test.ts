import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstanceStatus } from '../../incus/shapes.ts';
import type { SessionId } from '../../names.ts';
import type { Container, SessionRecord } from '../record/instance-record.ts';
import { type CleanWish, cleanable, stillCleanable } from './cleaning.ts';
import type { StoredEntry } from './saved-sessions.ts';

const hourMs = 3_600_000;
const wish = (more: Partial<CleanWish> = {}): CleanWish => ({
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
const names = (found: ReturnType<typeof cleanable>) =>
  found.map((item) => (item.kind === 'container' ? item.ref.name : item.dir));

const all = [
  container('run', 'Running', false),
  container('gone', 'Stopped', false),
  container('kept', 'Stopped', true),
  container('other', 'Stopped', undefined),
];

test('only what is stopped and ephemeral goes by itself', () => {
  assert.deepEqual(names(cleanable(wish(), all, [saved('a')])), ['gone']);
});

test('a persistent container goes only by name or with --all, and a running one never', () => {
  assert.deepEqual(names(cleanable(wish({ all: true }), all, [])), ['gone', 'kept', 'other']);
  assert.deepEqual(names(cleanable(wish({ named: ['kept', 'run'] }), all, [])), ['kept']);
});

test('--pools takes what is stopped in a pool that nothing names, persistent or not', () => {
  assert.deepEqual(names(cleanable(wish({ pools: new Set(['fast']) }), all, [])), ['gone']);
  assert.deepEqual(names(cleanable(wish({ pools: new Set(['slow']) }), all, [])), [
    'gone',
    'kept',
    'other',
  ]);
});

test('--sessions takes saved sessions and no container, but none that a container uses', () => {
  assert.deepEqual(names(cleanable(wish({ sessions: true }), all, [saved('a'), saved('s-kept')])), [
    '/s/a',
  ]);
});

test('--orphans takes what an interrupted start left, once it is old', () => {
  const left = [debris('old', 0), debris('new', hourMs - 1000), saved('a')];
  assert.deepEqual(names(cleanable(wish({ orphans: true }), [], left)), ['/s/old']);
});

test('what was started, deleted and made anew, or resumed since it was listed is not what was agreed to', () => {
  const made = (uuid: string, status: InstanceStatus = 'Stopped') => {
    const one = container('kept', status, true);
    return { ...one, instance: { ...one.instance, config: { 'volatile.uuid': uuid } } };
  };
  const found = (one: Container) => cleanable(wish({ all: true }), [one], []);
  const [item] = found(made('one'));
  assert.ok(item);
  assert.ok(stillCleanable(item, found(made('one'))));
  assert.ok(!stillCleanable(item, found(made('one', 'Running'))));
  assert.ok(!stillCleanable(item, found(made('two'))));
  const stored = (containers: readonly Container[], savedAt: number) => {
    const entry = saved('s-run');
    if (entry.kind !== 'saved') throw new Error('not saved');
    const ended = { ...entry, metadata: { ...entry.metadata, savedAt: new Date(savedAt) } };
    return cleanable(wish({ sessions: true }), containers, [ended]);
  };
  const [session] = stored([], 1);
  assert.ok(session);
  assert.ok(stillCleanable(session, stored([], 1)));
  assert.ok(!stillCleanable(session, stored([container('run', 'Running', false)], 1)));
  assert.ok(!stillCleanable(session, stored([], 2)));
});
