import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mountRefusal } from './mount-rules.ts';

const sensitive = {
  homes: ['/root', '/home/ann', '/srv/people/bob'],
  runDir: '/run/coi-x',
  stateDir: '/var/lib/coi-x',
};
const session = '11111111-2222-3333-4444-555555555555';
const ask = (path: string, more: { readonly?: boolean; uid?: number } = {}) =>
  mountRefusal(
    { path, readonly: more.readonly ?? false, uid: more.uid ?? 1000, session },
    sensitive,
  );

test('project directories may be mounted', () => {
  for (const path of [
    '/home/ann/project',
    '/srv/www',
    '/opt/thing',
    '/tmp/x',
    '/mnt/disk/a',
    '/var/www/site',
    '/data',
    '/home/ann/.config/x',
  ]) {
    assert.equal(ask(path), undefined, path);
  }
  assert.equal(ask('/root/project', { uid: 0 }), undefined);
});

test('the root directory, homes and their parents may not be mounted, not even read-only', () => {
  for (const path of [
    '/',
    '/home',
    '/home/ann',
    '/srv',
    '/srv/people',
    '/srv/people/bob',
    '/root',
  ]) {
    for (const readonly of [true, false]) assert.ok(ask(path, { readonly, uid: 0 }), path);
  }
});

test('paths that give power over the host may not be mounted, nor anything in or around them', () => {
  const closed = [
    '/proc',
    '/proc/1/root',
    '/sys/fs',
    '/dev/shm',
    '/run/coi',
    '/run/coi-x/mounts',
    '/var/lib/incus/disks',
    '/var/lib',
    '/run',
    '/var',
    '/var/lib/coi-x',
  ];
  for (const path of closed)
    for (const readonly of [true, false]) assert.ok(ask(path, { readonly, uid: 0 }), path);
});

test('system directories may be mounted read-only, but not writable', () => {
  for (const path of [
    '/etc',
    '/etc/ssl',
    '/usr/share/doc',
    '/boot',
    '/lib/modules',
    '/var/log/app',
    '/run/user/1000',
  ]) {
    assert.ok(ask(path, { uid: 0 }), path);
  }
  for (const path of ['/etc/ssl', '/usr/share/doc'])
    assert.equal(ask(path, { readonly: true }), undefined, path);
});

test("root's files may be mounted only in root's sessions", () => {
  assert.ok(ask('/root/project', { uid: 1000 }));
});

test("only the session's own parts of the store may be mounted", () => {
  const store = '/home/ann/.coi';
  assert.equal(ask(`${store}/sessions-claude/${session}/.claude`), undefined);
  assert.equal(ask(`/tmp/h/.coi/sessions-x/${session}/.config/x`), undefined);
  for (const path of [
    store,
    `${store}/config.toml`,
    `${store}/sessions-claude`,
    `${store}/sessions-claude/${session}`,
    `${store}/sessions-claude/99999999-2222-3333-4444-555555555555/.claude`,
    `${store}/other/${session}/.claude`,
    `${store}/sessions-claude/${session}/.coi/x`,
  ]) {
    for (const readonly of [true, false]) assert.ok(ask(path, { readonly }), path);
  }
});

test('a path that may be mounted writable may also be mounted read-only', () => {
  const part = fc.constantFrom(
    'home',
    'ann',
    'etc',
    'var',
    'lib',
    'incus',
    'root',
    '.coi',
    'sessions-a',
    session,
    'x',
    'run',
    'coi',
    'tmp',
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 5 }), fc.constantFrom(0, 1000), (parts, uid) => {
      const path = `/${parts.join('/')}`;
      if (ask(path, { uid }) === undefined)
        assert.equal(ask(path, { uid, readonly: true }), undefined);
    }),
  );
});
