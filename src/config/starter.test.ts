import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyNames } from './keys/table.ts';
import { parseConfig } from './read.ts';
import { starterConfig, starterProfile } from './starter.ts';

const base = { home: '/home/u', dir: '/home/u/.coi', workspace: '/w' };
const read = (text: string, kind: 'config' | 'profile') =>
  parseConfig({ path: 'f', bytes: Buffer.from(text), kind, trusted: true, bases: base });

test('the starter file changes nothing and is valid with every value uncommented', () => {
  const text = starterConfig();
  assert.deepEqual(read(text, 'config').values, {});
  const all = text.replace(/^# (\w+ = .+)$/gm, '$1');
  const { values } = read(all, 'config');
  assert.ok(Object.keys(values).length > keyNames.length / 2, 'most keys have a default');
  // Usual secrets are listed, so that users need not think of them.
  for (const glob of ['.env', '**/.env.*', '**/*.pem', '**/id_ed25519'])
    assert.ok(values['security.secret_paths']?.includes(glob), glob);
});

test('a new profile is valid, even with all examples uncommented, and inherits as requested', () => {
  assert.equal(
    read(starterProfile('web', { inherits: 'hardened' }), 'profile').inherits,
    'hardened',
  );
  const all = starterProfile('web', {}).replace(/^# (\w+ = .+|\[.+\])$/gm, '$1');
  assert.equal(read(all, 'profile').values['container.image'], 'coi-web');
});
