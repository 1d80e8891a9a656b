// Messages that scripts of the Go program's users search for, with stream and exit status, for commands without Incus.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { ConfigFixture } from '../bed/config-fixture.ts';
import { coiPath } from '../bed/program.ts';

interface Row {
  readonly line: string;
  readonly status: number;
  readonly stdout?: RegExp;
  readonly stderr?: RegExp;
}

/** Run in this order in one home; a stream that is not listed stays empty. */
const table: readonly Row[] = [
  { line: 'version', status: 0, stdout: /^code-on-incus \(coi\) v\S+\n(?:https:\/\/\S+\n)?$/ },
  { line: 'version more words', status: 0, stdout: /^code-on-incus \(coi\) v/ },
  { line: 'version --format json', status: 0, stdout: /"version": "v[\s\S]+"url": "/ },
  { line: 'version --format xml', status: 2, stderr: /^Error: invalid format 'xml'/ },
  { line: '--version', status: 0, stdout: /^code-on-incus \(coi\) v\S+\n$/ },
  { line: 'profile create mine', status: 0, stderr: /^Created profile 'mine'/ },
  { line: 'profile create mine', status: 1, stderr: /^Error: profile 'mine' already exists/ },
  { line: 'profile create a/b', status: 2, stderr: /^Error: invalid profile name/ },
  {
    line: 'profile list',
    status: 0,
    stdout: /^NAME +IMAGE +PERSISTENT +INHERITS +SOURCE\n[\s\S]*default .*\(built-in\)/,
  },
  { line: 'profile list --json', status: 0, stdout: /"name": "mine"/ },
  { line: 'profile info nosuch', status: 1, stderr: /^Error: profile 'nosuch' not found/ },
  { line: 'profile show mine', status: 0, stdout: /^# profile mine/ },
  {
    line: 'profile delete mine',
    status: 0,
    stdout: /^Cancelled\.\n$/,
    stderr: /\[y\/N\]: $/,
  },
  { line: 'profile delete mine --force', status: 0, stderr: /^Deleted profile 'mine'\n$/ },
  { line: 'profile delete default -f', status: 1, stderr: /^Error: profile 'default' is built in/ },
  { line: '--profile nosuch config show', status: 1, stderr: /profile 'nosuch' not found/ },
  { line: 'info', status: 1, stderr: /^Error: no sessions found/ },
  { line: 'info nosuch', status: 1, stderr: /^Error: session not found: nosuch/ },
  { line: 'info --format xml', status: 2, stderr: /^Error: invalid format/ },
  { line: 'list --format xml', status: 2, stderr: /^Error: invalid format/ },
  { line: 'image list --format xml', status: 2, stderr: /^Error: invalid format/ },
  { line: 'images --format xml', status: 2, stderr: /^Error: invalid format/ },
  { line: 'tmux list --format xml', status: 2, stderr: /^Error: invalid format/ },
  { line: 'snapshot list --format xml', status: 2, stderr: /^Error: invalid format/ },
  { line: 'container exec x --capture --format xml -- true', status: 2, stderr: /invalid format/ },
  { line: 'container exec x --format json -- true', status: 2, stderr: /--capture/ },
  { line: 'container exec x --tty --capture -- true', status: 2, stderr: /^Error: .*--tty/ },
  { line: 'image cleanup x- --keep 0', status: 2, stderr: /^Error: invalid --keep/ },
  { line: 'snapshot delete', status: 2, stderr: /^Error: snapshot name required/ },
  {
    line: 'file push a b',
    status: 2,
    stderr: /must be in format 'container:path'/,
  },
  {
    line: 'file pull a b',
    status: 2,
    stderr: /must be in format 'container:path'/,
  },
  { line: 'kill', status: 2, stderr: /^Error: no container names provided - use 'coi list'/ },
  { line: 'shutdown', status: 2, stderr: /^Error: no container names provided - use 'coi list'/ },
  { line: 'list --running --stopped', status: 2, stderr: /^Error: --running, --stopped/ },
  { line: 'nosuch', status: 2, stderr: /^Error: unknown command/ },
  { line: 'list --nosuch', status: 2, stderr: /^Error: unknown flag: --nosuch/ },
  {
    line: 'untrust nosuch',
    status: 1,
    stderr: /^Error: nothing of ".*nosuch" is approved\nHint: /,
  },
  { line: 'untrust', status: 0, stderr: /^Nothing of \S+ is approved/ },
  ...['trust', 'config show', 'validate', 'profile list'].map((command) => ({
    line: `${command} -w /nosuch`,
    status: 1,
    stderr: /^Error: workspace "\/nosuch" does not exist/,
  })),
  { line: 'container exists', status: 2, stderr: /^Error: accepts 1 arg\(s\), received 0/ },
];

test('messages, streams and exit statuses that scripts know are unchanged', () => {
  using fixture = new ConfigFixture();
  const env = { PATH: process.env['PATH'], HOME: fixture.home, INCUS_SOCKET: '/nonexistent' };
  for (const { line, status, stdout = /^$/, stderr = /^$/ } of table) {
    const result = spawnSync(coiPath(), line.split(' '), {
      cwd: fixture.workspace,
      env,
      encoding: 'utf8',
      timeout: 60_000,
      input: '',
    });
    assert.equal(result.status, status, `${line}: ${result.stdout}${result.stderr}`);
    assert.match(result.stdout, stdout, line);
    assert.match(result.stderr, stderr, line);
  }
});
