// The keys against the program that they are for.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hostSeed, privateKey, publicKey, seedOf } from './ssh-keys.ts';

test('ssh-keygen reads the key as ours, and its seed is found in it again', () => {
  const directory = mkdtempSync(join(tmpdir(), 'coi-unit-keys-'));
  try {
    for (const comment of ['', 'coi', 'ana@laptop', 'a longer comment of some bytes']) {
      const seed = randomBytes(32);
      const path = join(directory, 'key');
      writeFileSync(path, privateKey(seed, comment), { mode: 0o600 });
      const said = execFileSync('ssh-keygen', ['-y', '-f', path], { encoding: 'utf8' }).trim();
      assert.equal(said, [publicKey(seed), comment].join(' ').trim());
      assert.deepEqual(seedOf(privateKey(seed, comment)), seed);
      rmSync(path);
    }
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(directory, 'own')]);
    execFileSync('ssh-keygen', ['-q', '-t', 'ecdsa', '-N', '', '-f', join(directory, 'other')]);
    const text = (name: string) =>
      execFileSync('cat', [join(directory, name)], { encoding: 'utf8' });
    const own = seedOf(text('own'));
    assert.ok(own && text('own.pub').startsWith(publicKey(own)));
    assert.equal(seedOf(text('other')), undefined);
  } finally {
    rmSync(directory, { recursive: true });
  }
  for (const bad of ['', 'x', privateKey(randomBytes(32), '').slice(0, 200)])
    assert.equal(seedOf(bad), undefined);
});

test('each session has a key of its own, always the same, that leads nowhere else', () => {
  const seed = randomBytes(32);
  const [one, again, other] = [hostSeed(seed, 'a'), hostSeed(seed, 'a'), hostSeed(seed, 'b')];
  assert.deepEqual(one, again);
  assert.notDeepEqual(one, other);
  assert.notDeepEqual(one, seed);
  assert.notDeepEqual(one, hostSeed(randomBytes(32), 'a'));
});
