// The host keys in every image, compared with the fingerprints that the services publish.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const path = join(import.meta.dirname, 'guest/files/etc/ssh/ssh_known_hosts');

/** Copied from the pages, not computed. */
const published = {
  'github.com': '+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU',
  'gitlab.com': 'eUXGGm1YGsMAS7vkcx6JOJdOGHPem5gQp4taiCfCLB8',
  'bitbucket.org': 'ybgmFkzwOSotHTHLJgHO0QN8L0xErw6vd0VhFA9m3SM',
  'codeberg.org': 'mIlxA9k46MmM6qdJOdMnAQpzGxF4WIVVL+fj+wZbw0g',
};

test('each host key is the one that its service publishes, with its source above it', () => {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  const keys = lines.flatMap((line, at) =>
    line.startsWith('#') ? [] : [{ words: line.split(' '), above: lines[at - 1] ?? '' }],
  );
  const found = keys.map(({ words: [host, type, key = ''], above }) => {
    assert.match(above, /^# https:\/\/\S+$/, host);
    assert.equal(type, 'ssh-ed25519');
    const digest = createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64');
    return [host, digest.replace(/=+$/, '')];
  });
  assert.deepEqual(Object.fromEntries(found), published);
});
