import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guard, repository, tree } from '../../../test/security/workspace-tree.ts';
import { isThere, protectionRefusal } from './protect.ts';
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

test('a protected path behind a link: the link, what it leads to, and the directories on both ways', () => {
  const files = { 'x/.claude@': '../ai/claude', 'ai/claude/settings.json': '' };
  assert.deepEqual(lines(['x/.claude/settings.json'], files), [
    'pass x owner',
    'pass ai owner',
    'pass ai/claude owner',
    'link x/.claude owner',
    'file ai/claude/settings.json owner',
  ]);
});

test('chains of links, absolute ones, other names of the workspace, and what is only passed through', () => {
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

test('links in a guarded directory: what they lead to is guarded, too, and in turn what that leads to', () => {
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

test('what is missing behind a link is watched where it would be made', () => {
  assert.deepEqual(lines(['.claude/settings.json'], { '.claude@': 'ai/claude', 'ai/x': '' }), [
    'link .claude owner',
    'missing ai/claude/settings.json',
  ]);
  assert.deepEqual(
    lines(['.claude/settings.json'], { '.claude@': 'no/../ai', 'ai/settings.json': '' }),
    ['link .claude owner', 'missing no'],
  );
  // Below a file nothing can be, until the file is replaced.
  assert.deepEqual(lines(['.claude/settings.json'], { '.claude': '' }), [
    'missing .claude/settings.json',
  ]);
});

test('a missing path counts as made as soon as a link is on its way', () => {
  const files = { 'x/settings.json': '', '.claude@': 'x', '.vscode@': 'nowhere', 'y/': '' };
  assert.deepEqual(
    ['.claude/settings.json', '.vscode', 'x/settings.json', 'y/z', '.husky'].map((path) =>
      isThere(tree(files), path),
    ),
    [true, true, true, false, false],
  );
});

test('what cannot be followed or is too much is refused, with its reason', () => {
  assert.deepEqual(lines(['.vscode'], { '.vscode@': 'b', 'b@': '.vscode' }).slice(2), [
    '".vscode" cannot be protected: the link ".vscode" goes round, or over more than 40 links',
  ]);
  assert.deepEqual(lines(['.vscode'], { '.vscode@': '/other/x' }).slice(1), [
    '".vscode" cannot be protected: the link ".vscode" leads out of the workspace and back into it',
  ]);
  assert.deepEqual(lines(['.vscode'], { '.vscode@': '.' }).slice(1), [
    '".vscode" cannot be protected: it leads to ".", which holds the workspace or its git directory and cannot be guarded as a whole',
  ]);
  for (const paths of [['.git/info/attributes'], ['.git/hooks']])
    assert.match(
      lines(paths, { '.git/HEAD': '', '.git/info@': '.', '.git/hooks@': '..' }).at(-1) ?? '',
      /it leads to "\.(?:git)?", which holds the workspace or its git directory/,
    );
  assert.deepEqual(lines(['.git/hooks'], { ...repository, '.git/hooks@': '../none' }).slice(-1), [
    '".git/hooks" cannot be protected: it leads to "none", which does not exist',
  ]);
  assert.deepEqual(
    lines(['.git/hooks'], { ...repository, '.git/config@': '/etc/config' }).slice(-1),
    [
      '".git/config" cannot be protected: the link ".git/config" leads out of the workspace, where coi does not read what git runs',
    ],
  );
});

test('.git may be a file, and not a link: git looks at its owner, so only a mount holds it', () => {
  for (const target of ['store/git', '../elsewhere'])
    assert.deepEqual(lines(['.git/config'], { '.git@': target, 'store/git/config': '' }), [
      '".git" cannot be protected: ".git" is a link, which git only takes while it belongs to you, and what belongs to you can be replaced from inside',
    ]);
});

test('in the git directory: submodules, and the hooks that its configuration names, behind links', () => {
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

test('.git is a file that names a git directory in the workspace, or that of a worktree', () => {
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
