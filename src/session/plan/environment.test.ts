import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { guestScript } from '../../host/install/resources.ts';
import {
  guestTerm,
  handoverText,
  handoverTextIf,
  parseEnvFile,
  parseVariable,
} from './environment.ts';

test('values are handed over byte for byte, whatever their content', () => {
  const word = fc
    .oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom('#coi-end', '\n#coi-end\n', "'", '$(id)', '`id`', '\\', ' ', ''),
    )
    .map((text) => text.replaceAll('\0', ''));
  fc.assert(
    fc.property(word, fc.array(word, { minLength: 1, maxLength: 4 }), (value, args) => {
      const show = ['sh', '-c', 'printf "%s\\0" "$VALUE" "$@"', 'show', ...args];
      const ran = spawnSync('sh', ['-c', guestScript('run.sh'), 'coi-run', '/'], {
        input: handoverText({ VALUE: value }, show),
      });
      assert.equal(ran.status, 0, ran.stderr.toString());
      assert.deepEqual(
        ran.stdout,
        Buffer.from(`coi-ready\n${[value, ...args].map((text) => `${text}\0`).join('')}`),
      );
    }),
    { numRuns: 60 },
  );
});

test('stdin after the hand-over belongs to the command', () => {
  const ran = spawnSync('sh', ['-c', guestScript('run.sh'), 'coi-run', '/'], {
    input: `${handoverText({}, ['cat'])}mine\n#coi-end\n`,
    encoding: 'utf8',
  });
  assert.equal(ran.stdout, 'coi-ready\nmine\n#coi-end\n');
});

test('a command is started only if its program is found in the PATH that it gets', () => {
  const ran = (needs: string, path: string) => {
    const handed = handoverTextIf(needs, { PATH: path }, ['echo', 'started', '#coi-end\n']);
    assert.ok(typeof handed !== 'string');
    const { status, stdout } = spawnSync('/bin/sh', ['-c', guestScript('run.sh'), 'coi-run', '/'], {
      input: `${handed.text}mine\n`,
      encoding: 'utf8',
    });
    return { status, stdout };
  };
  const begun = 'coi-ready\ncoi-found';
  for (const needs of ['echo', '/bin/sh'])
    assert.deepEqual(ran(needs, '/bin:/usr/bin').stdout, `${begun} yes\nstarted #coi-end\n\n`);
  for (const needs of ['no such "program"', "$(id)'", '/bin/none'])
    assert.deepEqual(ran(needs, '/bin:/usr/bin'), { status: 127, stdout: `${begun} no\n` });
  assert.deepEqual(ran('tail', '/none'), { status: 127, stdout: `${begun} no\n` });
  assert.equal(handoverTextIf(undefined, {}, ['x']), handoverText({}, ['x']));
});

test('unusual and hostile TERM values become one that every guest knows', () => {
  for (const term of [
    undefined,
    '',
    'xterm-kitty',
    'xterm-ghostty',
    'alacritty',
    'foot',
    'tmux-256color',
    'a;b',
    'x\ny',
  ])
    assert.equal(guestTerm(term), 'xterm-256color');
  for (const term of ['xterm', 'xterm-256color', 'linux', 'vt100'])
    assert.equal(guestTerm(term), term);
});

test('--env takes a name with or without a value, and errors do not repeat the value', () => {
  assert.deepEqual(parseVariable('A=b=c'), { name: 'A', value: 'b=c' });
  assert.deepEqual(parseVariable('A='), { name: 'A', value: '' });
  assert.deepEqual(parseVariable('A_1'), { name: 'A_1' });
  for (const text of ['', '=secret', '1A=secret', 'A-B=secret', 'A=secret\0y', 'A B']) {
    assert.throws(
      () => parseVariable(text),
      (error: Error) => !error.message.includes('secret'),
    );
  }
});

test('an env file is read as docker reads it, without bare names', () => {
  assert.deepEqual(
    parseEnvFile('f', '\ufeff# comment\nA=1\r\n\n  B="two words" # no comment\nC=\nA=x=y\n'),
    { A: 'x=y', B: '"two words" # no comment', C: '' },
  );
  // A bare name would take the host's value: an agent could request any.
  for (const line of ['ANTHROPIC_API_KEY', 'export A=secret', 'A =secret', '=secret', 'A=secret\0'])
    assert.throws(
      () => parseEnvFile('vars.env', `X=1\n${line}\n`),
      (error: Error) =>
        error.message.startsWith('vars.env:2') && !/secret|ANTHROPIC/.test(error.message),
      line,
    );
});

test('a truncated hand-over runs nothing', () => {
  for (const script of ['run.sh', 'start.sh']) {
    const ran = spawnSync('sh', ['-c', guestScript(script), 'coi', '/', '/', 'direct'], {
      input: "set -- 'echo' 'ran'\n",
      encoding: 'utf8',
    });
    assert.equal(ran.status, 125);
    assert.doesNotMatch(ran.stdout, /ran/);
  }
});
