// The keys, checked with ssh-keygen.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hostSeed, parseSeed, privateKey, publicKey } from './ssh-keys.ts';

test('ssh-keygen accepts our key, and its seed can be recovered from it', () => {
  const directory = mkdtempSync(join(tmpdir(), 'coi-unit-keys-'));
  try {
    for (const comment of ['', 'coi', 'ana@laptop', 'a longer comment of some bytes']) {
      const seed = randomBytes(32);
      const path = join(directory, 'key');
      writeFileSync(path, privateKey(seed, comment), { mode: 0o600 });
      const result = execFileSync('ssh-keygen', ['-y', '-f', path], { encoding: 'utf8' }).trim();
      assert.equal(result, [publicKey(seed), comment].join(' ').trim());
      assert.deepEqual(parseSeed(privateKey(seed, comment)), seed);
      rmSync(path);
    }
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(directory, 'own')]);
    execFileSync('ssh-keygen', ['-q', '-t', 'ecdsa', '-N', '', '-f', join(directory, 'other')]);
    const text = (name: string) =>
      execFileSync('cat', [join(directory, name)], { encoding: 'utf8' });
    const own = parseSeed(text('own'));
    assert.ok(own && text('own.pub').startsWith(publicKey(own)));
    assert.equal(parseSeed(text('other')), undefined);
  } finally {
    rmSync(directory, { recursive: true });
  }
  for (const bad of ['', 'x', privateKey(randomBytes(32), '').slice(0, 200)])
    assert.equal(parseSeed(bad), undefined);
});

test('each session has its own stable key that is valid nowhere else', () => {
  const seed = randomBytes(32);
  const [one, again, other] = [hostSeed(seed, 'a'), hostSeed(seed, 'a'), hostSeed(seed, 'b')];
  assert.deepEqual(one, again);
  assert.notDeepEqual(one, other);
  assert.notDeepEqual(one, seed);
  assert.notDeepEqual(one, hostSeed(randomBytes(32), 'a'));
});
