import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GitValues } from './host-git.ts';
import { planSigning } from './signing.ts';

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ';
const values = (entries: Record<string, string>): GitValues =>
  new Map(Object.entries(entries).map(([name, value]) => [name, { scope: 'global', value }]));
const files: Record<string, string> = {
  '/home/ana/.ssh/id.pub': `${key} ana@host\n`,
  '/home/ana/.ssh/id': '-----BEGIN OPENSSH PRIVATE KEY-----\n',
  '/home/ana/secret': 'token',
};
const decide = (
  entries: Record<string, string>,
  agent: Parameters<typeof planSigning>[0]['agent'],
) => planSigning({ git: values(entries), agent, keyFile: (path) => files[path] });
const ssh = { 'commit.gpgsign': 'true', 'gpg.format': 'ssh' };
const unsigned = [
  ['commit.gpgsign', 'false'],
  ['tag.gpgsign', 'false'],
];

test('a key held by the SSH agent signs inside, in every form that git accepts', () => {
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

test('a user who signs manually gets the key, and nothing is signed automatically', () => {
  const { config, problem } = decide({ 'gpg.format': 'ssh', 'user.signingkey': key }, [key]);
  assert.equal(problem, undefined);
  assert.deepEqual(config.slice(2), [['user.signingkey', `key::${key}`]]);
});

test('signing that cannot work is turned off with one notice; users who do not sign see none', () => {
  const cases = [
    [{ 'commit.gpgsign': 'true' }, [key], 'GPG keys stay on this host'],
    [{ 'tag.gpgsign': '1' }, [key], 'GPG keys stay on this host'],
    [{ ...ssh, 'gpg.format': 'x509' }, [key], 'GPG keys stay on this host'],
    [{ ...ssh, 'user.signingkey': key }, 'off', '[ssh] forward_agent is off'],
    [{ ...ssh, 'user.signingkey': key }, 'missing', 'no SSH agent is running'],
    [
      { ...ssh, 'user.signingkey': key },
      [],
      'the SSH agent does not have the signing key (ssh-add)',
    ],
    [ssh, [key], "git's user.signingkey is not a public key"],
    [
      { ...ssh, 'gpg.ssh.defaultkeycommand': 'evil' },
      [key],
      "git's user.signingkey is not a public key",
    ],
    // No setting of such a file is passed on.
    [
      { ...ssh, 'user.signingkey': '/home/ana/secret' },
      [key],
      "git's user.signingkey is not a public key",
    ],
  ] as const;
  for (const [git, agent, why] of cases) {
    const made = decide(git, agent);
    assert.equal(made.problem, `Commits in the session are not signed: ${why}`);
    assert.deepEqual(made.config, unsigned);
    const quiet = decide({ ...git, 'commit.gpgsign': 'false', 'tag.gpgsign': 'false' }, agent);
    assert.deepEqual(quiet, { config: [] });
  }
});

test('other settings that make git sign automatically are turned off too', () => {
  const { config, problem } = decide({ 'tag.forcesignannotated': 'true' }, [key]);
  assert.deepEqual(config, [...unsigned, ['tag.forcesignannotated', 'false']]);
  assert.match(problem ?? '', /GPG/);
});
