import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guard, repository, tree } from '../../../test/security/workspace-tree.ts';
import {
  mergeRequests,
  type ProtectConfig,
  parseProtectedPath,
  protectRequest,
  sharedGitRequest,
} from './protect-request.ts';
import { protectionPlan } from './protection-plan.ts';

test('repository files are guarded by owner, .git itself by group, since git checks its owner', () => {
  const plan = protectionPlan(guard('.git/hooks', '.git/config'), tree(repository));
  assert.deepEqual(plan.ancestors, [
    { path: '.git', depth: 1, by: 'group', inGit: true, readonly: false },
  ]);
  assert.deepEqual(plan.leaves, [
    { path: '.git/hooks', kind: 'tree', by: 'owner' },
    { path: '.git/config', kind: 'file', by: 'owner' },
  ]);
  assert.deepEqual(plan.placeholders, []);
});

test('missing files in .git get placeholders, with valid content for commondir', () => {
  const plan = protectionPlan(
    guard('.git/commondir', '.git/config.worktree', '.git/info/attributes'),
    tree(repository),
  );
  assert.deepEqual(plan.placeholders, [
    { path: '.git/commondir', kind: 'file', content: './\n' },
    { path: '.git/config.worktree', kind: 'file', content: '' },
    { path: '.git/info/attributes', kind: 'file', content: '' },
  ]);
  assert.ok(plan.leaves.some(({ path, kind }) => path === '.git/info' && kind === 'sealed'));
});

test('missing files elsewhere are watched, and so is .git without a repository', () => {
  const plan = protectionPlan(
    guard('.git/hooks', '.vscode', '.claude/settings.json'),
    tree({ 'README.md': '' }),
  );
  assert.deepEqual(plan.leaves, []);
  assert.deepEqual(plan.missing, ['.git', '.vscode', '.claude/settings.json']);
});

test('in a worktree opened alone, the .git file is guarded', () => {
  const plan = protectionPlan(
    guard('.git/config', '.git/hooks'),
    tree({ '.git': 'gitdir: /elsewhere\n' }),
  );
  assert.deepEqual(plan.leaves, []);
  assert.deepEqual(plan.ancestors, [
    { path: '.git', depth: 1, by: 'group', inGit: false, readonly: true },
  ]);
});

test('every worktree is guarded, even without its own configuration', () => {
  const withWorktrees = (count: number) => ({
    ...repository,
    ...Object.fromEntries(
      Array.from({ length: count }, (_, n) => `.git/worktrees/w${n}`).flatMap((path) => [
        [`${path}/gitdir`, ''],
        [`${path}/commondir`, ''],
      ]),
    ),
  });
  const plan = protectionPlan(guard('.git/config'), tree(withWorktrees(80)));
  // Without a session there, missing files stay missing.
  assert.deepEqual(plan.placeholders, []);
  const last = plan.leaves.filter(({ path }) => path.startsWith('.git/worktrees/w79'));
  assert.deepEqual(
    last.map(({ path, kind }) => `${path.slice('.git/worktrees/w79'.length)} ${kind}`).toSorted(),
    [' sealed', '/commondir file', '/gitdir file'],
  );
  const worked = tree({ ...withWorktrees(1), '.git/worktrees/w0/gitdir': '/workspace/w0/.git\n' });
  const made = protectionPlan(guard('.git/config'), worked).placeholders.map(({ path }) => path);
  assert.deepEqual(made, ['.git/worktrees/w0/config.worktree']);
  assert.deepEqual(plan.refused, []);
});

test('git directories of visible worktrees are writable, others and those of submodules are sealed', () => {
  const files = {
    ...repository,
    '.git/worktrees/a/gitdir': '/workspace/.claude/worktrees/a/.git\n',
    '.git/worktrees/a/commondir': '',
    '.git/worktrees/b/gitdir': '/home/ana/elsewhere/.git\n',
    '.git/modules/lib/deep/HEAD': '',
    '.git/modules/lib/deep/config': '',
    '.git/modules/lib/deep/hooks/x': '',
  };
  const plan = protectionPlan(guard('.git/config'), tree(files));
  assert.deepEqual(
    plan.ancestors.map(({ path, depth, by }) => `${depth} ${path} ${by}`),
    [
      '1 .git group',
      '2 .git/worktrees group',
      '2 .git/modules group',
      '3 .git/worktrees/a group',
      '3 .git/modules/lib group',
    ],
  );
  const sealed = ({ leaves }: typeof plan) =>
    leaves.filter(({ path, kind }) => kind === 'sealed' && path.startsWith('.git/worktrees/'));
  assert.deepEqual(sealed(plan), [{ path: '.git/worktrees/b', kind: 'sealed', by: 'group' }]);
  const used = { ...guard('.git/config'), checkouts: ['/home/ana/elsewhere'] };
  assert.deepEqual(sealed(protectionPlan(used, tree(files))), []);
  assert.ok(
    plan.leaves.some(
      ({ path, kind, by }) =>
        path === '.git/modules/lib/deep' && kind === 'sealed' && by === 'group',
    ),
  );
  assert.ok(plan.leaves.some(({ path }) => path === '.git/modules/lib/deep/hooks'));
});

test('a configured submodule is writable except for its hooks and configuration', () => {
  const files = {
    ...repository,
    '.git/config': '[submodule "lib"]\n\turl = x\n[submodule "old"]\n\turl = x\n',
    '.git/modules/lib/HEAD': '',
    '.git/modules/lib/config': '',
    '.git/modules/lib/info/exclude': '',
    '.git/modules/planted/HEAD': '',
    '.git/modules/planted/config': '',
    '.git/modules/old/HEAD': '',
    '.git/modules/old/worktrees/a/gitdir': '',
  };
  const request = guard('.git/hooks', '.git/config');
  const plan = protectionPlan(request, tree(files));
  const sealed = plan.leaves.filter(({ kind }) => kind === 'sealed').map(({ path }) => path);
  assert.deepEqual(sealed.toSorted(), [
    '.git/modules/lib/info',
    '.git/modules/old',
    '.git/modules/planted',
  ]);
  assert.deepEqual(
    plan.placeholders.map(({ path }) => path),
    ['config.worktree', 'commondir', 'hooks', 'info/attributes'].map(
      (name) => `.git/modules/lib/${name}`,
    ),
  );
  const lib = plan.ancestors.find(({ path }) => path === '.git/modules/lib');
  assert.deepEqual([lib?.by, lib?.readonly], ['group', false]);
  // A session in a linked worktree of it does not work in its submodules.
  const shared = protectionPlan({ ...request, within: ['.git'] }, tree(files));
  assert.ok(
    shared.leaves.some(({ path, kind }) => path === '.git/modules/lib' && kind === 'sealed'),
  );
});

test('protected paths are normalized, and paths made writable are not protected', () => {
  for (const bad of ['/etc', '../x', 'a/../b', '', '.', 'a\0b', 'a//b'])
    assert.throws(() => parseProtectedPath(bad), { code: 'unprotected-path' });
  assert.equal(parseProtectedPath('.vscode/'), '.vscode');
  const config: ProtectConfig = {
    'security.protected_paths': ['.git/hooks', '.git/config', '.vscode/'],
    'security.additional_protected_paths': ['Makefile'],
    'security.writable_paths': ['.vscode'],
    'security.disable_protection': false,
    'security.protection': 'guard',
    'git.writable_hooks': true,
    'git.readonly': false,
  };
  assert.deepEqual(protectRequest(config)?.paths, ['.git/config', 'Makefile']);
  assert.equal(protectRequest({ ...config, 'security.disable_protection': true }), undefined);
});

test('a shared git directory is guarded by its name, and nothing next to it', () => {
  const request = guard('.git/hooks', '.git/config', '.vscode');
  assert.deepEqual(sharedGitRequest(request, '.git', ['/w'])?.paths, ['.git/hooks', '.git/config']);
  assert.equal(sharedGitRequest(guard('.vscode'), '.git'), undefined);
  const bare = sharedGitRequest(request, 'store.git', ['/home/ana/elsewhere']);
  assert.ok(bare);
  const files = {
    'store.git/HEAD': '',
    'store.git/config': '',
    'store.git/hooks/x': '',
    'store.git/worktrees/a/gitdir': '/home/ana/elsewhere/.git',
    'other.git/config': '',
    '.git/config': '',
  };
  const plan = protectionPlan(bare, tree(files));
  assert.deepEqual(
    plan.ancestors.map(({ path }) => path),
    ['store.git', 'store.git/worktrees', 'store.git/worktrees/a'],
  );
  assert.ok(plan.leaves.every(({ path }) => path.startsWith('store.git/')));
  assert.ok(plan.leaves.some(({ path }) => path === 'store.git/hooks'));
  // Together with the request of a session in the directory itself.
  const both = mergeRequests(guard('.git/config', '.vscode'), bare);
  assert.deepEqual(both.paths, ['.git/config', '.vscode', 'store.git/hooks', 'store.git/config']);
  assert.ok(protectionPlan(both, tree(files)).leaves.some(({ path }) => path === '.git/config'));
});

const many = (directory: string, count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`${directory}/${at}`, '']));

test('a directory with too many entries to guard individually is sealed as a whole', () => {
  const plan = protectionPlan(
    guard('.vscode', '.husky', '.idea'),
    tree({ ...many('.vscode', 3000), ...many('.husky', 3000), '.idea/x': '' }),
  );
  assert.deepEqual(plan.refused, []);
  assert.deepEqual(plan.whole, ['.husky']);
  assert.deepEqual(plan.ancestors, [
    { path: '.husky', depth: 1, by: 'owner', inGit: false, readonly: true, whole: true },
  ]);
  assert.deepEqual(
    plan.leaves.map(({ path }) => path),
    ['.vscode', '.idea'],
  );
  // Paths in it that are protected by name are guarded there.
  const inner = protectionPlan(guard('.husky', '.husky/7'), tree(many('.husky', 6000)));
  assert.deepEqual(inner.leaves, [{ path: '.husky/7', kind: 'file', by: 'owner' }]);
});

test('a link target with too many entries refuses the start: it may be the sources', () => {
  const plan = protectionPlan(guard('.vscode'), tree({ '.vscode@': 'src', ...many('src', 6000) }));
  assert.deepEqual(
    plan.refused.map(({ path, why, asked }) => ({ path, why, asked })),
    [{ path: 'src', why: 'large', asked: '.vscode' }],
  );
  assert.deepEqual(plan.whole, []);
});
