import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hostFiles } from '../../host/fs/host-files.ts';
import type { Alias } from '../../names.ts';
import {
  type Aliases,
  assertUsableAlias,
  parseAliasAndSlot,
  parseAliases,
  prepareAliasLock,
  readAliases,
  withAlias,
  writeAliases,
} from './aliases.ts';

test('name-N is a slot unless that exact alias is registered', () => {
  assert.deepEqual(parseAliasAndSlot('web', {}), { alias: 'web', slot: undefined });
  assert.deepEqual(parseAliasAndSlot('web-2', {}), { alias: 'web', slot: 2 });
  assert.deepEqual(parseAliasAndSlot('web-2', { 'web-2': { workspace: '/w' } }), {
    alias: 'web-2',
    slot: undefined,
  });
  assert.deepEqual(parseAliasAndSlot('web-100', {}), { alias: 'web-100', slot: undefined });
  for (const text of ['../x', 'a b', '1x', '', 'a\n'])
    assert.throws(() => parseAliasAndSlot(text, {}), { code: 'alias-invalid' });
});

test("another workspace's alias is refused, and its own is kept", () => {
  const aliases = { web: { workspace: '/a' } };
  assert.equal(withAlias(aliases, 'web' as Alias, { workspace: '/a' }), undefined);
  assert.throws(() => withAlias(aliases, 'web' as Alias, { workspace: '/b' }), /belongs to \/a/);
  assert.deepEqual(withAlias(aliases, 'api' as Alias, { workspace: '/b' }), {
    ...aliases,
    api: { workspace: '/b' },
  });
  assert.throws(() => assertUsableAlias('coi-web' as Alias, 'coi-'), { code: 'alias-invalid' });
});

test("an alias that looks like a slot of another workspace's alias is refused, in either order", () => {
  const at = (workspace: string) => ({ workspace });
  const register = (aliases: Aliases, alias: string, workspace: string) =>
    withAlias(aliases, alias as Alias, at(workspace));
  for (const alias of ['shop-1', 'shop-2', 'shop-02', 'shop-99'])
    assert.throws(() => register({ shop: at('/a') }, alias, '/b'), {
      code: 'alias-invalid',
      message: new RegExp(`'${alias}' already means slot \\d+ of 'shop', which belongs to /a`),
    });
  assert.throws(() => register({ 'shop-2': at('/a') }, 'shop', '/b'), {
    code: 'alias-invalid',
    message: /'shop' conflicts with 'shop-2', which would be its slot 2 but belongs to \/a/,
  });
  // Not a slot, not in use, or in the same project.
  for (const alias of ['shop-100', 'shop-0', 'shop-web', 'shop2'])
    assert.ok(register({ shop: at('/a') }, alias, '/b'), alias);
  assert.ok(register({ web: at('/a') }, 'shop-2', '/b'));
  assert.ok(register({ shop: at('/a') }, 'shop-2', '/a'));
  assert.ok(register({ 'shop-2': at('/a') }, 'shop', '/a'));
  // An existing registration stays valid, also with another profile.
  const both = { shop: at('/a'), 'shop-2': at('/b') };
  assert.equal(register(both, 'shop-2', '/b'), undefined);
  assert.equal(register(both, 'shop', '/a'), undefined);
  assert.ok(withAlias(both, 'shop-2' as Alias, { workspace: '/b', profile: 'p' }));
});

test('the alias registry is written atomically and read back; damage is reported', () => {
  const home = mkdtempSync(join(tmpdir(), 'coi-aliases-'));
  try {
    assert.deepEqual(readAliases(home, hostFiles), {});
    const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    assert.equal(prepareAliasLock(home, owner, hostFiles), join(home, '.coi/aliases.lock'));
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
