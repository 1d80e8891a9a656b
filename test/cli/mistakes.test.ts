// Command lines that are wrong, and the help that was asked for: what the built program says, and its status.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { everydayWords } from '../../src/cli/common-commands.ts';
import { ConfigPlace } from '../bed/config-place.ts';
import { coiPath } from '../bed/program.ts';

function coi(args: readonly string[]) {
  using place = new ConfigPlace();
  const env = { PATH: process.env['PATH'], HOME: place.home, INCUS_SOCKET: '/nonexistent' };
  return spawnSync(coiPath(), args, {
    cwd: place.workspace,
    env,
    encoding: 'utf8',
    timeout: 60_000,
  });
}

const mistakes: readonly (readonly [
  line: string,
  error: string,
  meant: string | undefined,
  /** The command whose help is named. */
  asked?: string,
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
  ['tool spec', '--container is needed', undefined, 'tool spec'],
  ['--slot', 'flag needs an argument: --slot', undefined],
];

test('a wrong command line ends with status 2, one sentence and what was probably meant', () => {
  for (const [line, error, meant, asked = ''] of mistakes) {
    const { status, stdout, stderr } = coi(line.split(' '));
    assert.deepEqual([status, stdout], [2, ''], line);
    const help = `Run \`${['coi', asked, '--help'].filter(Boolean).join(' ')}\` for more.`;
    const hint = meant === undefined ? help : `Did you mean ${meant}? ${help}`;
    if (line.includes('--json'))
      assert.deepEqual(JSON.parse(stderr), { error: { code: 'usage', message: error, hint } });
    else assert.equal(stderr, `Error: ${error}\nHint: ${hint}\n`, line);
  }
  assert.match(
    coi(['daemon', 'nonsense']).stderr,
    /^Error: coi daemon has no subcommand "nonsense"/,
  );
});

test('help tells of a command and of what is below it, as its flag does', () => {
  const said = (...args: string[]) => {
    const { status, stdout, stderr } = coi(args);
    assert.deepEqual([status, stderr], [0, ''], args.join(' '));
    return stdout;
  };
  assert.match(said('help'), /^Usage: coi \[options\] \[command\]/);
  assert.equal(said('help', 'help'), said('--help'));
  assert.equal(said('container'), said('container', '--help'));
  assert.match(said('help', 'image', 'list'), /^Usage: coi image list /);
  assert.equal(said('help', 'image', 'list'), said('image', 'list', '--help'));
});

test('help shows the flags from above that mean something for a command, and names them where all do', () => {
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
      /Also, explained in `coi --help`:\n {2}-w, --workspace {2}--slot {2}--resume/,
    );
    assert.doesNotMatch(stdout, /Directory of the session|Global options/);
  }
  const { stdout } = coi(['--help']);
  assert.match(stdout, /Global options:\n {2}-w, --workspace <path> +Directory of the session/);
  assert.doesNotMatch(stdout, /preset|default: none/);
});

test('the commands of every day, which are a part of the program, say the same as in the whole of it', () => {
  for (const word of everydayWords) {
    const [part, whole] = [coi([word, '--help']), coi(['help', word])];
    assert.deepEqual([part.status, part.stderr, part.stdout], [0, '', whole.stdout], word);
  }
});

test('variables of --env-file may come from a pipe of the shell; one that is closed is said to be', () => {
  using place = new ConfigPlace();
  const env = { PATH: process.env['PATH'], HOME: place.home, INCUS_SOCKET: '/nonexistent' };
  const said = (file: string) => {
    const script = `"$0" --env-file ${file} container exec nosuch -- true`;
    const options = { cwd: place.workspace, env, encoding: 'utf8', timeout: 60_000 } as const;
    return spawnSync('bash', ['-c', script, coiPath()], options).stderr;
  };
  assert.match(said('<(echo A=1; echo B)'), /^Error: \/dev\/fd\/\d+:2 has not the form NAME=value/);
  assert.match(said('<(echo A=1)'), /^Error: Incus does not run/);
  assert.match(said('/dev/fd/999'), /cannot be used \(EBADF\)\nHint: Write it into a file first/);
});
