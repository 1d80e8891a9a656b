// Goal: a coi flag with the name of a Node flag cannot make Node run files of the workspace.
// Method: files that Node obeys before the program starts; the control shows that it does.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { ConfigFixture } from '../bed/config-fixture.ts';
import { coiPath } from '../bed/program.ts';

const main = resolve(coiPath(), '../dist/main.js');

/** Runs it in a directory with planted files; returns whether one of them ran. */
function isObeyed(argv: readonly string[]): boolean {
  using fixture = new ConfigFixture();
  const ran = join(fixture.home, 'ran');
  const at = (name: string) => join(fixture.workspace, name);
  writeFileSync(at('evil.cjs'), `require('node:fs').writeFileSync(${JSON.stringify(ran)}, '')`);
  writeFileSync(at('.env'), `NODE_OPTIONS="--require ${at('evil.cjs')}"\nWORD=x\n`);
  writeFileSync(
    at('node.config.json'),
    JSON.stringify({ nodeOptions: { require: at('evil.cjs') } }),
  );
  const [file = '', ...args] = argv;
  const node = resolve(process.execPath, '..');
  spawnSync(file, args, {
    cwd: fixture.workspace,
    env: {
      PATH: `${node}:${process.env['PATH']}`,
      HOME: fixture.home,
      INCUS_SOCKET: '/nonexistent',
    },
    timeout: 60_000,
  });
  const obeyed = existsSync(ran);
  rmSync(ran, { force: true });
  return obeyed;
}

const lines = [
  ['run', '--env-file', '.env', '--', 'true'],
  ['run', '--env-file=.env', '--', 'true'],
  ['run', 'docker', 'compose', '--env-file', '.env', 'up'],
  ['run', 'node', '--experimental-default-config-file', 'app.js'],
  ['run', 'node', '--experimental-config-file=node.config.json', 'app.js'],
];

test("Node flags in coi's command line are not obeyed by the Node that runs coi", () => {
  for (const line of lines) {
    assert.equal(isObeyed([coiPath(), ...line]), false, line.join(' '));
    assert.equal(isObeyed([main, ...line]), false, `as npm installs it: ${line.join(' ')}`);
    assert.equal(isObeyed([process.execPath, main, ...line]), true, `control: ${line.join(' ')}`);
  }
});

test('arguments arrive as typed, whatever they contain', () => {
  using fixture = new ConfigFixture();
  const words = ['', ' ', 'a b', "it's", '"', '$HOME', '`id`', '\\', 'ü\n漢', '*', '-n', '--'];
  for (const word of words) {
    const result = spawnSync(coiPath(), ['shell', '--slot', word], {
      cwd: fixture.workspace,
      env: { PATH: process.env['PATH'], HOME: fixture.home, INCUS_SOCKET: '/nonexistent' },
      encoding: 'utf8',
    });
    assert.equal(result.status, 2, JSON.stringify(word));
    assert.ok(
      result.stderr.includes(JSON.stringify(word)) || word === '--' || word === '',
      result.stderr,
    );
  }
});
