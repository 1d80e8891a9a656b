import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DiskFacts, type DiskUse, diskUse } from '../../app/disk-use/uses.ts';
import type { Image, InstanceFull } from '../../incus/shapes.ts';
import type { Cleanable } from './cleanable.ts';

const image = (fingerprint: string, uploaded: string, aliases: string[], used = ''): Image =>
  ({
    fingerprint,
    size: 100,
    created_at: uploaded,
    uploaded_at: uploaded,
    last_used_at: used,
    properties: {},
    aliases: aliases.map((name) => ({ name, description: '' })),
  }) as unknown as Image;

const nothing: DiskFacts = {
  images: [],
  named: new Set(),
  unread: [],
  used: new Set(),
  containers: [],
  cleanable: [],
  stores: [],
  leftovers: new Map(),
  caches: [],
  logs: [],
  program: undefined,
};
const safe = (uses: readonly DiskUse[]) => uses.filter(({ take }) => take).map(({ name }) => name);

test('old image versions are safe to delete unless something names or uses them', () => {
  const january = ['2026-01-01T00:00:00Z', ['x-20260101-000000']] as const;
  const newest = image('new', '2026-03-01T00:00:00Z', ['x', 'x-20260301-000000']);
  const old = (used?: string) => image('old', january[0], [...january[1]], used);
  const of = (images: Image[], named: string[] = []) =>
    safe(diskUse({ ...nothing, images, named: new Set(named) }));
  assert.deepEqual(of([old(), newest]), ['x-20260101-000000']);
  assert.deepEqual(of([old('2026-02-01T00:00:00Z'), newest]), ['x-20260101-000000']);
  assert.deepEqual(of([old('0001-01-01T00:00:00Z'), newest]), ['x-20260101-000000']);
  assert.deepEqual(of([old(), newest], ['x-20260101-000000']), []);
  assert.deepEqual(
    of([old('2026-03-02T00:00:00Z'), newest]),
    [],
    'used since there is a newer one',
  );
  const keptFor = (facts: Partial<DiskFacts>) =>
    safe(diskUse({ ...nothing, images: [old(), newest], ...facts }));
  assert.deepEqual(keptFor({ used: new Set(['old']) }), [], 'a container was made from it');
  assert.deepEqual(keptFor({ unread: ['/w'] }), [], 'it may name any image');
  assert.deepEqual(of([old()]), [], 'the only version');
  assert.deepEqual(of([image('own', january[0], ['my-image']), newest]), []);
});

test('a stopped ephemeral container is safe to delete; snapshots and others are shown', () => {
  const container = (name: string, status: string, usage: number | undefined) =>
    ({
      name,
      status,
      state: usage === undefined ? null : { disk: { root: { usage } } },
      snapshots: [{ name: 's', created_at: '2026-01-02T03:04:05Z', size: 70_000 }],
    }) as unknown as InstanceFull;
  const ref = { name: 'coi-a-1' };
  const cleanable = [{ kind: 'container', ref, about: '' }] as unknown as Cleanable[];
  const containers = [
    container('coi-a-1', 'Stopped', 90_000),
    container('coi-b-1', 'Running', 16_384),
  ];
  const uses = diskUse({ ...nothing, containers, cleanable });
  assert.deepEqual(safe(uses), ['coi-a-1']);
  assert.deepEqual(
    uses.map(({ kind, name, bytes }) => [kind, name, bytes]),
    [
      ['container', 'coi-a-1', 90_000],
      ['snapshot', 'coi-a-1/s', 70_000],
      // If quotas are inconsistent, Incus reports no sizes.
      ['container', 'coi-b-1', undefined],
      ['snapshot', 'coi-b-1/s', 70_000],
    ],
  );
});

test('caches, logs and leftovers are safe to delete, conversations never', () => {
  const measured = (path: string) => ({
    ...{ path, bytes: 10, complete: true, entries: 2, id: '1:2' },
  });
  const dir = '/h/.coi/sessions-claude/id';
  const uses = diskUse({
    ...nothing,
    stores: [measured('/h/.coi/sessions-claude')],
    cleanable: [{ kind: 'session', dir, endedMs: 0, about: '' }],
    leftovers: new Map([[dir, { bytes: 5, id: '1:2' }]]),
    caches: [measured('/h/.cache/coi')],
    logs: [{ ...measured('/h/.coi/logs'), complete: false }],
    program: measured('/usr/local/lib/coi'),
  });
  assert.deepEqual(safe(uses), [dir, '/h/.cache/coi', '/h/.coi/logs']);
  assert.match(uses.find(({ kind }) => kind === 'logs')?.about ?? '', /more than was counted/);
  assert.equal(uses.find(({ kind }) => kind === 'sessions')?.about, '2 sessions');
});
