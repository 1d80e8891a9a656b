import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handoff, handoffReason, isWorthWalking, type WorkspaceFile } from './handoff.ts';

const file = (path: string, more: Partial<WorkspaceFile> = {}): WorkspaceFile => ({
  path,
  kind: 'file',
  mode: 0o644,
  modifiedMs: 0,
  changedMs: 0,
  ...more,
});

test('what something on the host runs is told, wherever it lies', () => {
  for (const path of [
    '.git/hooks/pre-commit',
    '.git/config',
    'sub/.git/config',
    '.git/modules/lib/hooks/x',
    '.vscode/tasks.json',
    '.envrc',
    'package.json',
    'web/package.json',
    'Makefile',
    '.github/workflows/ci.yml',
    '.mcp.json',
    '.claude/settings.local.json',
    'AGENTS.md',
    '.npmrc',
    'yarn.lock',
    '.husky/pre-push',
    '.devcontainer/devcontainer.json',
    '.coi/config.toml',
    '.GIT/hooks/post-checkout',
    '.vs\u200ccode/tasks.json',
  ])
    assert.ok(handoffReason(file(path)), path);
});

test('what is only read is not', () => {
  for (const path of [
    'README.md',
    'src/index.ts',
    '.git/hooks/pre-commit.sample',
    '.git/index',
    '.git/HEAD',
    'docs/claude.md',
    'lib/makefile.txt',
    '.gitignore',
  ])
    assert.equal(handoffReason(file(path)), undefined, path);
});

test('a file with setuid is told whatever it is called', () => {
  assert.match(handoffReason(file('a.txt', { mode: 0o4755 })) ?? '', /setuid/);
});

test('a repository that was made inside is told, the own one is not', () => {
  assert.ok(handoffReason(file('vendor/.git', { kind: 'directory' })));
  assert.equal(handoffReason(file('.git', { kind: 'directory' })), undefined);
});

test('only what changed since then, and a protected file only when it was written', () => {
  const files = [
    file('Makefile', { changedMs: 50 }),
    file('package.json', { changedMs: 150 }),
    file('.git/config', { changedMs: 150, modifiedMs: 50 }),
  ];
  assert.deepEqual(
    handoff(files, 100, (path) => path === '.git/config').map(({ path }) => path),
    ['package.json'],
  );
  assert.deepEqual(
    handoff(files, 100, () => false).map(({ path }) => path),
    ['.git/config', 'package.json'],
  );
});

test('directories full of what others made are left out', () => {
  assert.ok(!isWorthWalking('web/node_modules'));
  assert.ok(!isWorthWalking('.git/objects'));
  assert.ok(isWorthWalking('.git/hooks'));
});

test('a bare repository is told by its structure, wherever it lies and whatever it is called', () => {
  const directory = (path: string) => file(path, { kind: 'directory' });
  const files = [
    ...[
      'a/store/HEAD',
      'a/store/config',
      'a/store/hooks/post-update',
      'a/store/hooks/x.sample',
    ].map((path) => file(path, { changedMs: 5 })),
    ...['a/store/objects', 'a/store/refs', 'b/refs'].map(directory),
    ...['b/HEAD', 'b/config'].map((path) => file(path, { changedMs: 5 })),
  ];
  assert.deepEqual(
    handoff(files, 1, () => false).map(({ path }) => path),
    ['a/store/config', 'a/store/hooks/post-update'],
  );
  // At the top of the workspace as well.
  const top = [
    file('HEAD'),
    directory('objects'),
    directory('refs'),
    file('config', { changedMs: 5 }),
  ];
  assert.equal(handoff(top, 1, () => false).length, 1);
});
