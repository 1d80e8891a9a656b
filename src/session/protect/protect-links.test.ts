import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guard, repository, tree } from '../../../test/security/workspace-tree.ts';
import { existsNow, protectionRefusal } from './protect.ts';
import { protectionPlan } from './protection-plan.ts';

const lines = (paths: readonly string[], files: Readonly<Record<string, string>>) => {
  const { ancestors, leaves, missing, refused } = protectionPlan(guard(...paths), tree(files));
  return [
    ...ancestors.map(({ path, by }) => `pass ${path} ${by}`),
    ...leaves.map(({ path, kind, by }) => `${kind} ${path} ${by}`),
    ...missing.map((path) => `missing ${path}`),
    ...refused.map((one) => protectionRefusal(one).message),
  ];
};

test('a protected path behind a link guards the link, its target and the directories on both paths', () => {
  const files = { 'x/.claude@': '../ai/claude', 'ai/claude/settings.json': '' };
  assert.deepEqual(lines(['x/.claude/settings.json'], files), [
    'pass x owner',
    'pass ai owner',
    'pass ai/claude owner',
    'link x/.claude owner',
    'file ai/claude/settings.json owner',
  ]);
});

test('chained, absolute and aliased links are followed, and directories on the way are guarded', () => {
  for (const target of ['/home/ana/project/c', '/alias/c', '../project/c', 'b/../c', './/c/'])
    assert.deepEqual(
      lines(['.vscode'], {
        '.vscode@': 'd/e',
        'd/e@': '../f',
        'f@': target,
        'b/x': '',
        'c/tasks.json': '',
      }),
      [
        'pass d owner',
        ...(target.startsWith('b') ? ['pass b owner'] : []),
        'link .vscode owner',
        'link d/e owner',
        'link f owner',
        'tree c owner',
      ],
      target,
    );
});

test('targets of links in a guarded directory are guarded recursively', () => {
  const files = {
    ...repository,
    '.git/hooks/pre-commit@': '../../scripts/hook',
    'scripts/hook@': '../tools/check.sh',
    'tools/check.sh': '',
    '.git/hooks/lib@': '../../lib',
    'lib/more@': '../more',
    'more/x': '',
    '.git/hooks/self@': '.',
  };
  assert.deepEqual(lines(['.git/hooks'], files), [
    'pass .git group',
    'pass scripts owner',
    'pass tools owner',
    'tree .git/hooks owner',
    'link scripts/hook owner',
    'file tools/check.sh owner',
    'tree lib owner',
    'tree more owner',
  ]);
});

test('a link that leads out of the workspace is guarded itself', () => {
  for (const target of ['/etc/x', '../x', '/home/ana/other'])
    assert.deepEqual(lines(['.vscode'], { '.vscode@': target }), ['link .vscode owner']);
});

test('a missing path behind a link is watched where it would be created', () => {
  assert.deepEqual(lines(['.claude/settings.json'], { '.claude@': 'ai/claude', 'ai/x': '' }), [
    'link .claude owner',
    'missing ai/claude/settings.json',
  ]);
  assert.deepEqual(
    lines(['.claude/settings.json'], { '.claude@': 'no/../ai', 'ai/settings.json': '' }),
    ['link .claude owner', 'missing no'],
  );
  // Nothing can be below a file until the file is replaced.
  assert.deepEqual(lines(['.claude/settings.json'], { '.claude': '' }), [
    'missing .claude/settings.json',
  ]);
});

test('a missing path counts as existing once a link is on its path', () => {
  const files = { 'x/settings.json': '', '.claude@': 'x', '.vscode@': 'nowhere', 'y/': '' };
  assert.deepEqual(
    ['.claude/settings.json', '.vscode', 'x/settings.json', 'y/z', '.husky'].map((path) =>
      existsNow(tree(files), path),
    ),
    [true, true, true, false, false],
  );
});

test('links that cannot be followed or are too many are refused with a reason', () => {
  assert.deepEqual(lines(['.vscode'], { '.vscode@': 'b', 'b@': '.vscode' }).slice(2), [
    '".vscode" cannot be protected: the link ".vscode" leads through a loop or more than 40 links',
  ]);
  assert.deepEqual(lines(['.vscode'], { '.vscode@': '/other/x' }).slice(1), [
    '".vscode" cannot be protected: the link ".vscode" leads out of the workspace and back into it',
  ]);
  assert.deepEqual(lines(['.vscode'], { '.vscode@': '.' }).slice(1), [
    '".vscode" cannot be protected: it leads to ".", which contains the workspace or its git directory and cannot be guarded as a whole',
  ]);
  for (const paths of [['.git/info/attributes'], ['.git/hooks']])
    assert.match(
      lines(paths, { '.git/HEAD': '', '.git/info@': '.', '.git/hooks@': '..' }).at(-1) ?? '',
      /it leads to "\.(?:git)?", which contains the workspace or its git directory/,
    );
  assert.deepEqual(lines(['.git/hooks'], { ...repository, '.git/hooks@': '../none' }).slice(-1), [
    '".git/hooks" cannot be protected: it leads to "none", which does not exist',
  ]);
  assert.deepEqual(
    lines(['.git/hooks'], { ...repository, '.git/config@': '/etc/config' }).slice(-1),
    [
      '".git/config" cannot be protected: the link ".git/config" leads out of the workspace, where coi does not check what git runs',
    ],
  );
});

test('.git may be a file but not a link, which only its owner id could protect', () => {
  for (const target of ['store/git', '../elsewhere'])
    assert.deepEqual(lines(['.git/config'], { '.git@': target, 'store/git/config': '' }), [
      '".git" cannot be protected: ".git" is a link: git only accepts it if it belongs to you, but then the agent can replace it',
    ]);
});

test('in the git directory, submodules and configured hooks behind links are guarded', () => {
  const files = {
    '.git': 'gitdir: store/git\n',
    'store/git/HEAD': '',
    'store/git/config': '[core]\nhooksPath = .githooks\n',
    'store/git/worktrees/a/gitdir': '/workspace/a/.git',
    'store/git/modules@': '../modules',
    'store/modules/lib/HEAD': '',
    'store/modules/lib/config': '',
    '.githooks@': 'tools/hooks',
    'tools/hooks/x': '',
  };
  assert.deepEqual(lines(['.git/config'], files), [
    'pass .git group',
    'pass store owner',
    'pass tools owner',
    'pass store/git group',
    'pass store/modules owner',
    'pass store/git/worktrees group',
    'pass store/git/worktrees/a group',
    'file store/git/config owner',
    'file store/git/worktrees/a/gitdir owner',
    'file store/git/worktrees/a/config.worktree owner',
    'link store/git/modules owner',
    'sealed store/modules/lib group',
    'file store/modules/lib/config owner',
    'link .githooks owner',
    'tree tools/hooks owner',
    'tree store/git/.githooks owner',
    'tree store/git/worktrees/a/.githooks owner',
  ]);
});

test('a .git file that names a git directory in the workspace or of a worktree is guarded', () => {
  const bare = {
    '.git': 'gitdir: ./.bare/worktrees/main\n',
    '.bare/HEAD': '',
    '.bare/config': '',
    '.bare/worktrees/main/commondir': '../..\n',
    '.bare/worktrees/main/gitdir': '',
  };
  const found = lines(['.git/config'], bare);
  for (const line of ['pass .git group', 'file .bare/config owner', 'pass .bare group'])
    assert.ok(found.includes(line), line);
});
