// Goal: nothing in the workspace makes Node run something because a flag of coi is called as one of Node's.
// Method: files that Node obeys before the program begins, with the control that it does.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { ConfigPlace } from '../bed/config-place.ts';
import { coiPath } from '../bed/program.ts';

const main = resolve(coiPath(), '../dist/main.js');

/** Runs it where the agent has left such files; whether one of them was run. */
function isObeyed(argv: readonly string[]): boolean {
  using place = new ConfigPlace();
  const ran = join(place.home, 'ran');
  const at = (name: string) => join(place.workspace, name);
  writeFileSync(at('evil.cjs'), `require('node:fs').writeFileSync(${JSON.stringify(ran)}, '')`);
  writeFileSync(at('.env'), `NODE_OPTIONS="--require ${at('evil.cjs')}"\nWORD=x\n`);
  writeFileSync(
    at('node.config.json'),
    JSON.stringify({ nodeOptions: { require: at('evil.cjs') } }),
  );
  const [file = '', ...args] = argv;
  const node = resolve(process.execPath, '..');
  spawnSync(file, args, {
    cwd: place.workspace,
    env: { PATH: `${node}:${process.env['PATH']}`, HOME: place.home, INCUS_SOCKET: '/nonexistent' },
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

test('flags of Node in the command line of coi are not obeyed by the Node that runs coi', () => {
  for (const line of lines) {
    assert.equal(isObeyed([coiPath(), ...line]), false, line.join(' '));
    assert.equal(isObeyed([main, ...line]), false, `as npm installs it: ${line.join(' ')}`);
    assert.equal(isObeyed([process.execPath, main, ...line]), true, `control: ${line.join(' ')}`);
  }
});

test('words arrive as they are typed, whatever is in them', () => {
  using place = new ConfigPlace();
  const words = ['', ' ', 'a b', "it's", '"', '$HOME', '`id`', '\\', 'ü\n漢', '*', '-n', '--'];
  for (const word of words) {
    const said = spawnSync(coiPath(), ['shell', '--slot', word], {
      cwd: place.workspace,
      env: { PATH: process.env['PATH'], HOME: place.home, INCUS_SOCKET: '/nonexistent' },
      encoding: 'utf8',
    });
    assert.equal(said.status, 2, JSON.stringify(word));
    assert.ok(
      said.stderr.includes(JSON.stringify(word)) || word === '--' || word === '',
      said.stderr,
    );
  }
});
