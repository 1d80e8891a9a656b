import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyNames } from './keys/table.ts';
import { configSource } from './read.ts';
import { starterConfig, starterProfile } from './starter.ts';

const place = { home: '/home/u', dir: '/home/u/.coi', workspace: '/w' };
const read = (text: string, kind: 'config' | 'profile') =>
  configSource({ path: 'f', bytes: Buffer.from(text), kind, trusted: true, place });

test('the starter changes nothing, and with every # before a value taken away it is valid still', () => {
  const text = starterConfig();
  assert.deepEqual(read(text, 'config').values, {});
  const all = text.replace(/^# (\w+ = .+)$/gm, '$1');
  const { values } = read(all, 'config');
  assert.ok(Object.keys(values).length > keyNames.length / 2, 'most keys have a default');
  // Nobody has to think of what is usually secret.
  for (const glob of ['.env', '**/.env.*', '**/*.pem', '**/id_ed25519'])
    assert.ok(values['security.secret_paths']?.includes(glob), glob);
});

test('a new profile is valid, also with all its examples, and inherits what it was told', () => {
  assert.equal(
    read(starterProfile('web', { inherits: 'hardened' }), 'profile').inherits,
    'hardened',
  );
  const all = starterProfile('web', {}).replace(/^# (\w+ = .+|\[.+\])$/gm, '$1');
  assert.equal(read(all, 'profile').values['container.image'], 'coi-web');
});
