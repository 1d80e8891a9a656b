import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GitValues } from './host-git.ts';
import { signing } from './signing.ts';

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ';
const values = (entries: Record<string, string>): GitValues =>
  new Map(Object.entries(entries).map(([name, value]) => [name, { scope: 'global', value }]));
const files: Record<string, string> = {
  '/home/ana/.ssh/id.pub': `${key} ana@host\n`,
  '/home/ana/.ssh/id': '-----BEGIN OPENSSH PRIVATE KEY-----\n',
  '/home/ana/secret': 'token',
};
const decide = (entries: Record<string, string>, agent: Parameters<typeof signing>[0]['agent']) =>
  signing({ git: values(entries), agent, keyFile: (path) => files[path] });
const ssh = { 'commit.gpgsign': 'true', 'gpg.format': 'ssh' };
const unsigned = [
  ['commit.gpgsign', 'false'],
  ['tag.gpgsign', 'false'],
];

test('a key that the agent holds signs inside, however git names it', () => {
  for (const signingkey of [
    '/home/ana/.ssh/id',
    '/home/ana/.ssh/id.pub',
    key,
    `key::${key}`,
    `${key} comment`,
  ]) {
    const { config, problem } = decide({ ...ssh, 'user.signingkey': signingkey }, ['other x', key]);
    assert.equal(problem, undefined);
    assert.deepEqual(config, [
      ['gpg.format', 'ssh'],
      ['gpg.ssh.program', 'ssh-keygen'],
      ['user.signingkey', `key::${key}`],
      ['commit.gpgsign', 'true'],
    ]);
  }
  const first = decide({ ...ssh, 'gpg.ssh.defaultkeycommand': 'ssh-add -L' }, [key]);
  assert.deepEqual(first.config[2], ['user.signingkey', `key::${key}`]);
});

test('a user who signs by hand gets the key, and nothing is signed by itself', () => {
  const { config, problem } = decide({ 'gpg.format': 'ssh', 'user.signingkey': key }, [key]);
  assert.equal(problem, undefined);
  assert.deepEqual(config.slice(2), [['user.signingkey', `key::${key}`]]);
});

test('where signing cannot work it is off and said once, and who does not sign hears nothing', () => {
  const cases = [
    [{ 'commit.gpgsign': 'true' }, [key], 'keys of GPG stay on this host'],
    [{ 'tag.gpgsign': '1' }, [key], 'keys of GPG stay on this host'],
    [{ ...ssh, 'gpg.format': 'x509' }, [key], 'keys of GPG stay on this host'],
    [{ ...ssh, 'user.signingkey': key }, 'off', '[ssh] forward_agent is off'],
    [{ ...ssh, 'user.signingkey': key }, 'missing', 'no SSH agent runs here'],
    [
      { ...ssh, 'user.signingkey': key },
      [],
      'the SSH agent does not hold the signing key (ssh-add)',
    ],
    [ssh, [key], 'user.signingkey of git names no public key'],
    [
      { ...ssh, 'gpg.ssh.defaultkeycommand': 'evil' },
      [key],
      'user.signingkey of git names no public key',
    ],
    // Nothing of such a file is passed on.
    [
      { ...ssh, 'user.signingkey': '/home/ana/secret' },
      [key],
      'user.signingkey of git names no public key',
    ],
  ] as const;
  for (const [git, agent, why] of cases) {
    const made = decide(git, agent);
    assert.equal(made.problem, `Commits are not signed inside: ${why}`);
    assert.deepEqual(made.config, unsigned);
    const quiet = decide({ ...git, 'commit.gpgsign': 'false', 'tag.gpgsign': 'false' }, agent);
    assert.deepEqual(quiet, { config: [] });
  }
});

test('what else makes git sign by itself is off as well, where it is on', () => {
  const { config, problem } = decide({ 'tag.forcesignannotated': 'true' }, [key]);
  assert.deepEqual(config, [...unsigned, ['tag.forcesignannotated', 'false']]);
  assert.match(problem ?? '', /GPG/);
});
