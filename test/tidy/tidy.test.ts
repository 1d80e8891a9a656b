// Checks the repository against the layout in docs/architecture.md.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { suites } from '../../scripts/suites.ts';
import {
  fullFolders,
  importCycles,
  missingFiles,
  textComplaints,
  unusedExports,
} from './repository.ts';
import { exceptions, rules } from './rules.ts';
import { codeOnly, readSource, repositoryFiles, sourceFile } from './source.ts';

const root = resolve(import.meta.dirname, '../..');
const files = repositoryFiles(root);
const sources = files
  .filter((path) => /\.(ts|mjs)$/.test(path))
  .map((path) => readSource(root, path));

for (const [name, rule] of Object.entries(rules)) {
  test(`${name}: ${rule.about}`, () => {
    const complaints = sources
      .filter(({ path }) => rule.applies(path))
      .flatMap((file) => rule.complaints(file).map((complaint) => `${file.path}: ${complaint}`));
    assert.deepEqual(complaints, []);
  });
}

test('no folder of src/ has too many files', () => {
  assert.deepEqual(fullFolders(files), []);
  const many = Array.from({ length: 21 }, (_, at) => `src/a/${at}.ts`);
  assert.equal(fullFolders([...many, 'src/b/a.ts']).length, 1);
  assert.deepEqual(fullFolders([...many.slice(1), 'src/a/b.test.ts', 'src/a/b/c.ts']), []);
});

test('no file imports itself through others', () => {
  assert.deepEqual(importCycles(sources), []);
  const file = (path: string, target: string) => ({
    path,
    imports: [{ target, typeOnly: false }],
  });
  const circle = [file('src/a.ts', 'src/b.ts'), file('src/b.ts', 'src/a.ts')];
  assert.deepEqual(importCycles(circle), [['src/a.ts', 'src/b.ts', 'src/a.ts']]);
  assert.deepEqual(importCycles([file('src/a.ts', 'src/b.ts'), file('src/b.ts', 'node:fs')]), []);
});

test('every export is imported', () => {
  assert.deepEqual(unusedExports(sources), []);
  const file = (path: string, text: string) => ({ path, text });
  const one = file('src/a.ts', 'export const a = 1;\nexport function b() {}\nexport class C {}');
  const other = file('src/b.test.ts', "import { a as own, type C } from './a.ts';");
  assert.deepEqual(unusedExports([one, other]), ['src/a.ts: b']);
  assert.deepEqual(unusedExports([one, file('src/b.ts', "await import('./a.ts');")]), []);
});

test('no file has a package server or path of this machine', () => {
  const hosts = packageServers();
  const complaints = files
    .filter((path) => !/\.(png|gif|ico|woff2?|gz|xz)$/.test(path))
    .flatMap((path) =>
      textComplaints(readFileSync(join(root, path), 'utf8'), hosts).map((one) => `${path}: ${one}`),
    );
  assert.deepEqual(complaints, []);
});

test('documents and comments name only existing files', () => {
  const complaints = files
    .filter((path) => /\.(ts|mjs|md)$/.test(path) && path !== 'CHANGELOG.md')
    .flatMap((path) =>
      missingFiles(path, readFileSync(join(root, path), 'utf8'), files).map(
        (one) => `${path}: ${one}`,
      ),
    );
  assert.deepEqual(complaints, []);
  const one = ['src/a/b.ts'];
  assert.deepEqual(missingFiles('x.md', 'See `a/b.ts`, b.ts and ./b.ts.', one), []);
  assert.deepEqual(missingFiles('x.ts', `import 'c/b.ts'; /${'/'} as in c/b.ts`, one), [
    'line 1: names c/b.ts',
  ]);
});

test('the lock file names no package server', () => {
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
  assert.doesNotMatch(lock, /"resolved":\s*"http/);
});

test('every test file is run by npm test', () => {
  const folders = [...suites.map(({ folder }) => folder), 'test/tidy', 'test/fakes'];
  const stray = files
    .filter((path) => path.endsWith('.test.ts') && !path.startsWith('src/'))
    .filter((path) => !folders.includes(path.slice(0, path.lastIndexOf('/'))));
  assert.deepEqual(stray, []);
});

const violations: Record<keyof typeof rules, [path: string, text: string][]> = {
  direction: [
    ['src/incus/a.ts', "import { CoiError } from '../errors.ts';"],
    ['src/host/a.ts', "import type { Slot } from '../names.ts';"],
    ['src/session/a.ts', "import { makeIncus } from '../incus/connect.ts';"],
    ['src/session/a.ts', "const it = await import('../host/files.ts');"],
    ['src/network/a.ts', "export * from '../coid-api/client.ts';"],
    ['src/daemon/a.ts', "import { shell } from '../cli/commands/session/shell.ts';"],
    ['src/app/a.ts', "import type { Io } from '../cli/ui/io.ts';"],
    ['src/daemon/a.ts', "import { place } from '../app/workspace.ts';"],
    ['src/config/a.ts', "import type { Container } from '../session/record/instance-record.ts';"],
    ['src/index.ts', "import { makeApp } from './cli/app.ts';"],
    ['src/cli/commands/a.ts', "import '../../main.ts';"],
  ],
  identity: [
    ['src/cli/commands/a.ts', 'await incus.changeState(name, change);'],
    ['src/daemon/a.ts', 'await (await app.incus()).deleteInstance(name);'],
    ['src/session/a.ts', 'await incus.restoreSnapshot(name, one);'],
  ],
  views: [
    ['src/cli/ui/views/a.ts', "import { EOL } from 'node:os';"],
    ['src/cli/ui/views/a.ts', 'export const age = () => Date.now();'],
  ],
  names: [
    ['src/session/utils.ts', ''],
    ['src/helpers/a.ts', ''],
    ['src/session/manager.test.ts', ''],
  ],
  head: [['src/session/a.ts', "import { a } from './b.ts';"]],
  length: [['src/session/a.ts', '\n'.repeat(301)]],
  edge: [
    ['src/session/a.ts', 'const home = process.env;'],
    ['src/session/a.ts', 'console.log(1);'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the string contains code
    ['src/session/a.ts', 'const t = `${Date.now()}`;'],
    ['src/session/a.ts', "import { env } from 'node:process';"],
  ],
  json: [['src/app/a.ts', 'const one = JSON.parse(text) as One;']],
  brands: [['src/app/a.ts', 'const slot = 3 as Slot;']],
  commands: [['src/cli/commands/a.ts', '\n'.repeat(101)]],
  commander: [['src/app/a.ts', "import { Option } from 'commander';"]],
  programs: [['src/host/fs/a.ts', "import { spawn } from 'node:child_process';"]],
  spread: [['src/session/a.ts', 'const one = { ...{ a, b } };']],
  waits: [
    ['test/cli/a.test.ts', "import { setTimeout } from 'node:timers/promises';"],
    ['src/session/a.test.ts', 'await new Promise((resolve) => setTimeout(resolve, 50));'],
    ['test/fakes/a.ts', 'await sleep(50);'],
  ],
  skips: [
    ['test/cli/a.test.ts', `test.${'skip'}('later', () => {});`],
    ['test/cli/a.test.ts', `test('later', { ${'skip'}: true }, () => {});`],
  ],
  catches: [
    ['src/session/a.ts', 'try { a(); } catch {}'],
    ['src/session/a.ts', 'a()\n  .catch(() => {});'],
  ],
};

for (const [name, cases] of Object.entries(violations)) {
  test(`the rule "${name}" finds its violations`, () => {
    const rule = rules[name];
    for (const [path, text] of cases) {
      assert.ok(rule);
      assert.ok(rule.applies(path), `${name} applies to ${path}`);
      assert.notDeepEqual(rule.complaints(sourceFile(path, text)), [], text.slice(0, 80));
    }
  });
}

test('the rules accept correct code', () => {
  const text = [
    '// Correct code.',
    "import type { Incus } from '../incus/client.ts';",
    "import { CoiError } from '../errors.ts';",
    "import { leaseMs } from '../coid-api/protocol.ts';",
    '// process.exit and console.log in a comment, and in text: ',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the string contains code
    "const text = 'console.log' + `process.env ${child.process.pid}` + /console\\.log('/.source;",
    'try { a(); } catch {\n  // Already deleted, as intended.\n}',
  ].join('\n');
  const file = sourceFile('src/session/a.ts', text);
  for (const [name, rule] of Object.entries(rules)) {
    if (rule.applies(file.path)) assert.deepEqual(rule.complaints(file), [], name);
  }
});

test('exceptions of the rules exist', () => {
  const gone = exceptions.filter((one) => !files.some((path) => path.startsWith(one)));
  assert.deepEqual(gone, []);
});

test('blanking keeps code, lines and lengths', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the string contains code
  const text = "a('x') /* b\nc */ + `d${e(`f${g}`)}h` // i\n+ { j: /[/'\"]/ }";
  const code = codeOnly(text);
  assert.equal(code.length, text.length);
  assert.equal(code.split('\n').length, text.split('\n').length);
  assert.deepEqual(code.match(/[a-z]/g), ['a', 'e', 'g', 'j']);
});

test('machine paths and servers are found in any text', () => {
  assert.equal(textComplaints(`see /wor${'k/'}main`, []).length, 1);
  assert.equal(textComplaints('see /workspace and ./network/a', []).length, 0);
  assert.equal(
    textComplaints('from https://apt.example.invalid/x', ['apt.example.invalid']).length,
    1,
  );
});

/** Package servers of this machine, without well-known ones. */
function packageServers(): string[] {
  const wellKnown = /(^|\.)(debian\.org|npmjs\.org|nodesource\.com|google\.com|github\.com)$/;
  const aptDir = '/etc/apt/sources.list.d';
  const texts = [process.env['npm_config_registry'] ?? ''];
  try {
    texts.push(...readdirSync(aptDir).map((name) => readFileSync(join(aptDir, name), 'utf8')));
  } catch {
    // A machine without apt has no such directory, and nothing to hide.
  }
  const hosts = texts.flatMap((text) => [...text.matchAll(/https?:\/\/(?:[^@/\s]*@)?([\w.-]+)/g)]);
  return [...new Set(hosts.map((match) => match[1] ?? ''))].filter(
    (host) => host.includes('.') && !wellKnown.test(host),
  );
}
