// Blocks, their file and `ssh -G`, with the real ssh.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  hostBlock,
  hostNames,
  knownHosts,
  type SshHost,
  sshFindings,
  withBlock,
  withInclude,
} from './ssh-config.ts';

const host = (more: Partial<SshHost> = {}): SshHost => ({
  names: ['coi-web', 'coi-12345678-1'],
  session: 's1',
  proxy: ['/opt/coi/node', '/opt/coi/main.js', '__ssh', 's1'],
  home: '/home/ana',
  ...more,
});

/** The options that the real ssh reads from a configuration. */
function optionsFrom(config: string, name: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'coi-unit-ssh-'));
  try {
    const path = join(directory, 'config');
    writeFileSync(path, config);
    return execFileSync('ssh', ['-F', path, '-G', name], { encoding: 'utf8' });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('ssh reads the block as intended, whatever the paths', () => {
  const odd = host({
    home: '/home/an a%h',
    proxy: ["/opt/it's %h here/coi", '__ssh', 's1'],
  });
  for (const one of [host(), odd]) {
    const result = optionsFrom(hostBlock(one), 'coi-web');
    assert.deepEqual(sshFindings(result, 's1'), []);
    assert.match(result, /^hostkeyalias coi-session-s1$/m);
    const [, command = ''] = /^proxycommand (.*)$/m.exec(result) ?? [];
    // ssh expands %% when it starts the command.
    const argv = execFileSync('sh', ['-c', `printf '%s\\n' ${command.replaceAll('%%', '%')}`]);
    assert.deepEqual(argv.toString().trimEnd().split('\n'), one.proxy);
    assert.ok(
      result.includes(`identityfile ${one.home.replaceAll('%', '%%')}/.coi/ssh/id_ed25519`),
    );
  }
});

test("options that the user's configuration adds after the block are reported", () => {
  const userOptions = [
    'Host *',
    ...['ForwardAgent yes', 'ForwardX11 yes', 'PermitLocalCommand yes', 'StrictHostKeyChecking no'],
    ...['UserKnownHostsFile /dev/null', 'ProxyJump evil', 'RemoteCommand tmux', 'User ana'],
    ...['SendEnv LANG LC_* TOKEN', 'RemoteForward 9000 localhost:9000', 'IdentityFile ~/.ssh/own'],
  ].join('\n');
  const findings = sshFindings(
    optionsFrom(`${hostBlock(host())}\n${userOptions}\n`, 'coi-web'),
    's1',
  );
  assert.deepEqual(
    findings.map((line) => line.split(' ').slice(0, 2).join(' ')),
    ['adds RemoteForward', 'adds IdentityFile', 'adds SendEnv'],
  );
  const before = sshFindings(optionsFrom(`${userOptions}\n${hostBlock(host())}`, 'coi-web'), 's1');
  for (const key of ['user', 'forwardagent', 'forwardx11', 'permitlocalcommand'])
    assert.ok(
      before.some((line) => line.startsWith(`sets ${key} to `)),
      `${key}: ${before.join('; ')}`,
    );
  assert.deepEqual(sshFindings(optionsFrom('', 'coi-web'), 's1'), [
    'does not reach the block of coi',
  ]);
});

test('host names are those of container and alias, with the slot if there may be several', () => {
  assert.deepEqual(hostNames('coi-1-1', { alias: undefined, slot: 1 }, 'coi-'), ['coi-1-1']);
  assert.deepEqual(hostNames('coi-1-1', { alias: 'web', slot: 1 }, 'coi-'), ['coi-web', 'coi-1-1']);
  assert.deepEqual(hostNames('coi-1-3', { alias: 'web', slot: 3 }, 'coi-'), [
    ...['coi-web-3', 'coi-1-3'],
  ]);
});

test('the file has one block per existing session, and each name one session', () => {
  const all = new Set(['s1', 's2', 's3']);
  const second = host({ session: 's2', names: ['coi-other'] });
  const both = withBlock(withBlock('', host(), all), second, all);
  assert.equal(withBlock(both, second, all), both);
  assert.match(both, /Host coi-web coi-12345678-1[\s\S]*Host coi-other/);
  // Another project has the same alias, or one that equals that container's name.
  for (const names of [
    ['coi-web', 'coi-99999999-1'],
    ['coi-12345678-1', 'coi-99999999-1'],
  ]) {
    const third = host({ session: 's3', names });
    assert.throws(
      () => withBlock(both, third, all),
      /already belongs to the session in container coi-12345678-1/,
    );
    assert.match(withBlock(both, third, new Set(['s2', 's3'])), /session s3/);
  }
  // The next session of the same workspace and slot.
  const taken = withBlock(both, host({ session: 's3' }), all);
  assert.ok(!taken.includes('session s1') && taken.includes('session s2'));
  const without = withBlock(both, second, new Set(['s2']));
  assert.equal(without.match(/^Host /gm)?.length, 1);
  assert.equal(
    knownHosts(all, (session) => `key-${session}`),
    'coi-session-s1 key-s1\ncoi-session-s2 key-s2\ncoi-session-s3 key-s3\n',
  );
});

test('the Include line is added once, where it applies to all hosts', () => {
  const added = withInclude(undefined) ?? '';
  assert.match(added, /^# .*\nInclude ~\/\.coi\/ssh\/config\n\n$/);
  assert.equal(withInclude(added), undefined);
  assert.equal(withInclude('include=~/.coi/ssh/config\nHost x\n'), undefined);
  // Below a Host line it would apply to that host only.
  assert.ok(withInclude('Host x\n  Include ~/.coi/ssh/config\n')?.startsWith('# Sessions'));
  assert.ok(withInclude('# Include ~/.coi/ssh/config\n')?.includes('\nInclude ~/.coi'));
});
