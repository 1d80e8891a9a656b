// Wrong command lines and requested help: output and exit status of the built program.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { commonCommands } from '../../src/cli/common-commands.ts';
import { ConfigFixture } from '../bed/config-fixture.ts';
import { coiPath } from '../bed/program.ts';

function coi(args: readonly string[]) {
  using fixture = new ConfigFixture();
  const env = { PATH: process.env['PATH'], HOME: fixture.home, INCUS_SOCKET: '/nonexistent' };
  return spawnSync(coiPath(), args, {
    cwd: fixture.workspace,
    env,
    encoding: 'utf8',
    timeout: 60_000,
  });
}

const mistakes: readonly (readonly [
  line: string,
  error: string,
  suggestion: string | undefined,
  /** The command that the help belongs to. */
  helpFor?: string,
])[] = [
  ['shel', "unknown command 'shel'", 'shell'],
  ['kil --json', "unknown command 'kil'", 'kill'],
  ['help nosuch', "unknown command 'nosuch'", undefined],
  ['nosuch --help', "unknown command 'nosuch'", undefined],
  ['image lst', "unknown command 'lst'", 'list', 'image'],
  ['list --runing', 'unknown flag: --runing', '--running', 'list'],
  ['list --worksapce=x', 'unknown flag: --worksapce', '--workspace', 'list'],
  ['--slto=1', 'unknown flag: --slto', '--slot'],
  [
    'container exists',
    'accepts 1 arg(s), received 0: name is missing',
    undefined,
    'container exists',
  ],
  ['info --format xml', "invalid format 'xml': must be one of text, json", undefined, 'info'],
  ['trust 2', 'accepts 0 arg(s), received 1', undefined, 'trust'],
  [
    'file push x',
    'accepts 2 arg(s), received 1: container:path is missing',
    undefined,
    'file push',
  ],
  ['list -z', "unknown shorthand flag: 'z'", undefined, 'list'],
  ['top --sort x', "invalid --sort 'x': must be one of cpu, mem, disk, net", undefined, 'top'],
  ['tool spec', '--container is required', undefined, 'tool spec'],
  ['--slot', 'flag needs an argument: --slot', undefined],
];

test('a wrong command line ends with status 2, one sentence and a suggestion', () => {
  for (const [line, error, suggestion, helpFor = ''] of mistakes) {
    const { status, stdout, stderr } = coi(line.split(' '));
    assert.deepEqual([status, stdout], [2, ''], line);
    const help = `Run \`${['coi', helpFor, '--help'].filter(Boolean).join(' ')}\` for more.`;
    const hint = suggestion === undefined ? help : `Did you mean ${suggestion}? ${help}`;
    if (line.includes('--json'))
      assert.deepEqual(JSON.parse(stderr), { error: { code: 'usage', message: error, hint } });
    else assert.equal(stderr, `Error: ${error}\nHint: ${hint}\n`, line);
  }
  assert.match(
    coi(['daemon', 'nonsense']).stderr,
    /^Error: unknown subcommand "nonsense" of coi daemon/,
  );
});

test('the help command shows a command and its subcommands, as --help does', () => {
  const errorOf = (...args: string[]) => {
    const { status, stdout, stderr } = coi(args);
    assert.deepEqual([status, stderr], [0, ''], args.join(' '));
    return stdout;
  };
  assert.match(errorOf('help'), /^Usage: coi \[options\] \[command\]/);
  assert.equal(errorOf('help', 'help'), errorOf('--help'));
  assert.equal(errorOf('container'), errorOf('container', '--help'));
  assert.match(errorOf('help', 'image', 'list'), /^Usage: coi image list /);
  assert.equal(errorOf('help', 'image', 'list'), errorOf('image', 'list', '--help'));
});

test('help shows the global flags that affect a command, and names them at the top level', () => {
  const flags = (line: string) => {
    const { status, stdout } = coi([...line.split(' '), '--help']);
    assert.equal(status, 0, line);
    return [...stdout.matchAll(/^ {2}(?:-\w, )?--([a-z-]+)/gm)].map(([, name]) => name);
  };
  assert.deepEqual(flags('attach'), ['bash', 'help', 'workspace', 'slot', 'all-users']);
  assert.deepEqual(flags('snapshot create'), [
    ...['stateful', 'json', 'help', 'container', 'workspace', 'all-users'],
  ]);
  assert.deepEqual(flags('kill'), ['all', 'force', 'json', 'help', 'all-users']);
  assert.deepEqual(flags('version'), ['format', 'json', 'help']);
  for (const line of ['shell', 'run']) {
    const { stdout } = coi([line, '--help']);
    assert.match(
      stdout,
      /Other options, explained in `coi --help`:\n {2}-w, --workspace {2}--slot {2}--resume/,
    );
    assert.doesNotMatch(stdout, /Directory of the session|Global options/);
  }
  const { stdout } = coi(['--help']);
  assert.match(stdout, /Global options:\n {2}-w, --workspace <path> +Directory of the session/);
  assert.doesNotMatch(stdout, /preset|default: none/);
});

test('the common commands behave the same in the small program as in the whole one', () => {
  for (const word of commonCommands) {
    const [part, whole] = [coi([word, '--help']), coi(['help', word])];
    assert.deepEqual([part.status, part.stderr, part.stdout], [0, '', whole.stdout], word);
  }
});

test('--env-file reads from a shell pipe; a closed one is reported', () => {
  using fixture = new ConfigFixture();
  const env = { PATH: process.env['PATH'], HOME: fixture.home, INCUS_SOCKET: '/nonexistent' };
  const errorOf = (file: string) => {
    const script = `"$0" --env-file ${file} container exec nosuch -- true`;
    const options = { cwd: fixture.workspace, env, encoding: 'utf8', timeout: 60_000 } as const;
    return spawnSync('bash', ['-c', script, coiPath()], options).stderr;
  };
  assert.match(
    errorOf('<(echo A=1; echo B)'),
    /^Error: \/dev\/fd\/\d+:2 is not in the format NAME=value/,
  );
  assert.match(errorOf('<(echo A=1)'), /^Error: Incus is not running/);
  assert.match(
    errorOf('/dev/fd/999'),
    /cannot be used \(EBADF\)\nHint: Write it into a file first/,
  );
});
