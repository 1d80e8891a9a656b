import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hostFiles } from '../host/files.ts';
import type { Alias } from '../names.ts';
import {
  aliasAndSlot,
  aliasLock,
  parseAliases,
  readAliases,
  usableAlias,
  withAlias,
  writeAliases,
} from './aliases.ts';

test('name-N means a slot, unless just that is registered', () => {
  assert.deepEqual(aliasAndSlot('web', {}), { alias: 'web', slot: undefined });
  assert.deepEqual(aliasAndSlot('web-2', {}), { alias: 'web', slot: 2 });
  assert.deepEqual(aliasAndSlot('web-2', { 'web-2': { workspace: '/w' } }), {
    alias: 'web-2',
    slot: undefined,
  });
  assert.deepEqual(aliasAndSlot('web-100', {}), { alias: 'web-100', slot: undefined });
  for (const text of ['../x', 'a b', '1x', '', 'a\n'])
    assert.throws(() => aliasAndSlot(text, {}), { code: 'alias-invalid' });
});

test('an alias of another workspace is refused and its own is kept', () => {
  const aliases = { web: { workspace: '/a' } };
  assert.equal(withAlias(aliases, 'web' as Alias, { workspace: '/a' }), undefined);
  assert.throws(() => withAlias(aliases, 'web' as Alias, { workspace: '/b' }), /belongs to \/a/);
  assert.deepEqual(withAlias(aliases, 'api' as Alias, { workspace: '/b' }), {
    ...aliases,
    api: { workspace: '/b' },
  });
  assert.throws(() => usableAlias('coi-web' as Alias, 'coi-'), { code: 'alias-invalid' });
});

test('the registry is written as a whole and read back; old and odd entries are tolerated, damage is named', () => {
  const home = mkdtempSync(join(tmpdir(), 'coi-aliases-'));
  try {
    assert.deepEqual(readAliases(home, hostFiles), {});
    const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    assert.equal(aliasLock(home, owner, hostFiles), join(home, '.coi/aliases.lock'));
    writeAliases(home, { web: { workspace: '/a', profile: 'p' } }, owner, hostFiles);
    assert.deepEqual(readAliases(home, hostFiles), { web: { workspace: '/a', profile: 'p' } });
    assert.equal(statSync(join(home, '.coi/aliases.json')).mode & 0o777, 0o600);
    assert.match(readFileSync(join(home, '.coi/aliases.json'), 'utf8'), /\n$/);
  } finally {
    rmSync(home, { recursive: true });
  }
  assert.deepEqual(parseAliases('{"a":"/x","b":{"workspace":"/y"},"c":7}', 'f'), {
    a: { workspace: '/x' },
    b: { workspace: '/y' },
  });
  for (const text of ['', '[]', 'nonsense', 'null'])
    assert.throws(() => parseAliases(text, '/f.json'), /\/f\.json is damaged/);
});
