// The parser of git's configuration compared with git itself, on generated files.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { keyOf, parseGitConfig } from './config.ts';

/** Building blocks of generated files: most of the syntax, and errors. */
const parts = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('\n', '\n\t', '\r\n') },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      '[core]',
      '[Core]',
      '[core "Sub.x"]',
      '[diff  "a\\"b\\\\c"]',
      '[a.B.c]',
      '[include]',
      '[includeIf "gitdir:~/x/"]',
      '[x-y]',
    ),
  },
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      'hooksPath = x',
      'HooksPath=./x y',
      'external="a b"',
      'a-b',
      'path = ',
      'x1 = "a;b" ; c',
      'x = a\\\n  b',
      'x = a \\\n',
      'e = \\t\\b\\n\\\\\\"z',
      'q = a" b "c  d "e"',
      'v = "a\\\nb"',
    ),
  },
  fc.constantFrom(
    ' ',
    '\t',
    '#',
    ';',
    '"',
    '\\',
    '=',
    '[',
    ']',
    '.',
    '\r',
    'é',
    '-',
    '1',
    '\uFEFF',
    '"x"',
  ),
  fc.string({ maxLength: 5 }),
);
const files = fc.array(parts, { maxLength: 14 }).map((all) => all.join(''));

test('configuration is read as git reads it, and refused where git refuses it', () => {
  const directory = mkdtempSync(join(tmpdir(), 'coi-git-config-'));
  try {
    const path = join(directory, 'config');
    fc.assert(
      fc.property(files, (text) => {
        fc.pre(!text.includes('\0'));
        writeFileSync(path, text);
        assert.deepEqual(own(text), byGit(path), JSON.stringify(text));
      }),
      { numRuns: 400 },
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test('values that git would truncate are refused', () => {
  assert.deepEqual(parseGitConfig('[core]\n\thooksPath = x\0y\n'), { line: 1 });
});

test('a syntax error is reported with its line', () => {
  assert.deepEqual(parseGitConfig('[core]\n\tbare = false\n\tbad line\n[x]\n'), { line: 3 });
});

function own(text: string): string[] | undefined {
  const config = parseGitConfig(text);
  if ('line' in config) return undefined;
  return config.variables.map((variable) => {
    const key =
      variable.section === '' && variable.subsection === undefined
        ? variable.name
        : keyOf(variable);
    return spaced(variable.value === undefined ? key : `${key}\n${variable.value}`);
  });
}

/** Undefined if git refuses the file. */
function byGit(path: string): string[] | undefined {
  try {
    const output = execFileSync(
      'git',
      ['config', '--file', path, '--list', '-z', '--no-includes'],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: process.env['PATH'], HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' },
      },
    );
    return output.split('\0').slice(0, -1).map(spaced);
  } catch {
    return undefined;
  }
}

/** Git before 2.45 turns tabs in a value into spaces. */
function spaced(text: string): string {
  const [key = '', ...value] = text.split('\n');
  return [key, ...value.map((one) => one.replaceAll(/[\t\r]/g, ' '))].join('\n');
}
