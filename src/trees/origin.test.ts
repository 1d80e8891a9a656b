// URLs of remotes in own trees.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { originWithoutCredentials } from './origin.ts';

it('user, password and token are removed from the URL of the remote', () => {
  for (const url of [
    'https://ada:secret@example.com/a.git',
    'https://token@example.com/a.git',
    'https://example.com/a.git?private_token=secret#x',
    'HTTPS://ada@example.com/a.git',
  ])
    assert.equal(originWithoutCredentials(url), 'https://example.com/a.git', url);
});

it('ssh addresses stay, and paths of this host are no remotes', () => {
  for (const url of ['git@example.com:a/b.git', 'ssh://git@example.com/a.git'])
    assert.equal(originWithoutCredentials(url), url);
  for (const url of ['', '/srv/a.git', '../a', 'file:///srv/a.git', 'https://'])
    assert.equal(originWithoutCredentials(url), undefined, url);
});
