import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Files,
  guard,
  guardedBy,
  repository,
  tree,
} from '../../../test/security/workspace-tree.ts';
import { mergeRequests, sharedGitRequest } from './protect-request.ts';
import { protectionPlan } from './protection-plan.ts';

const gitPaths = ['.git/hooks', '.git/config', '.git/config.worktree'];
const tools: Files = {
  'tools/x': '',
  'tools/lib/y': '',
  'my tools/x y': '',
  src: '',
  'run.sh': '',
};

test("husky's directory is guarded whether it exists or the next install creates it", () => {
  const config = '[core]\n\thooksPath = .husky/_';
  // On a push, git looks for it in its own directory.
  const pushed = ['made .git/.husky', 'made .git/.husky/_'];
  assert.deepEqual(guardedBy(config, { '.husky/_/pre-commit': '' }), [...pushed, 'tree .husky/_']);
  assert.deepEqual(guardedBy(config, { '.husky/pre-commit': '' }), [...pushed, 'missing .husky/_']);
});

test('a missing file is guarded if git would run or read it', () => {
  for (const [line, expected] of [
    ['[diff]\n\texternal = tools/new', ['missing tools/new']],
    ['[alias]\n\tx = !./new', ['missing new']],
    ['[gpg]\n\tprogram = /home/ana/project/new', ['missing new']],
    ['[merge "m"]\n\tdriver = sh new %A', ['missing new']],
    ['[core]\n\thooksPath = new', ['made .git/new', 'missing new']],
    ['[include]\n\tpath = ../new', ['missing new']],
    ['[include]\n\tpath = new', ['made .git/new']],
    ['[core]\n\thooksPath = .git/new', ['made .git/.git', 'made .git/.git/new', 'made .git/new']],
    ['[diff]\n\texternal = .git/new', ['missing .git/new']],
    ['[include]\n\tpath = no/new', ['made .git/no', 'made .git/no/new']],
    // These are not known to be paths.
    ['[x]\n\ty = feature/new', []],
    ['[alias]\n\tx = log origin/new', []],
  ] as const)
    assert.deepEqual(guardedBy(line), expected, line);
});

test('includes are followed relative to their file, whatever their condition', () => {
  const files: Files = {
    ...tools,
    'conf/a': '[include]\npath = b\n[includeIf "onbranch:x"] path = ~/project/conf/c',
    'conf/b': '[include]\npath = ../conf/a\n[diff]\nexternal = tools/x',
    'conf/c': '[alias]\nx = !sh run.sh',
    '.git/extra': '[core]\nhooksPath = tools/lib',
  };
  assert.deepEqual(
    guardedBy('[include] path = ../conf/a\n[includeIf "gitdir:/x/"]\n\tpath = extra', files),
    [
      'file .git/extra',
      ...['conf/a', 'conf/b', 'conf/c', 'run.sh', 'tools/x'].map((path) => `file ${path}`),
      ...['made .git/tools', 'made .git/tools/lib', 'tree tools/lib'],
    ],
  );
  assert.deepEqual(guardedBy('[include]\npath = /etc/gitconfig\npath = ~/.gitconfig'), []);
});

test('host configuration outside the project is read too: files that it names in the project are guarded', () => {
  for (const path of ['/etc/gitconfig', '/home/ana/.gitconfig', '/home/ana/.config/git/config'])
    assert.deepEqual(
      guardedBy('', { ...tools, [path]: '[core]\n\thooksPath = tools' }),
      ['made .git/tools', 'tree tools'],
      path,
    );
  const included = {
    ...tools,
    '/home/ana/work.conf': '[include]\npath = more',
    '/home/ana/more': '[alias]\nx = !tools/x',
  };
  for (const line of ['~/work.conf', '/home/ana/work.conf', '../../work.conf'])
    assert.deepEqual(guardedBy(`[include]\npath = ${line}`, included), ['file tools/x'], line);
  assert.deepEqual(guardedBy('', { ...tools, '/home/ana/.gitconfig': '[x' }), [
    `git's configuration "/home/ana/.gitconfig" cannot be read, so it is unknown what git runs (line 1)`,
  ]);
  // Files outside the project belong to the host.
  assert.deepEqual(
    guardedBy('', {
      ...tools,
      '/home/ana/.gitconfig':
        '[core]\nexcludesFile = ~/.gitignore\neditor = ~/bin/e\n[alias]\nx = !../../bin/x',
    }),
    [],
  );
});

test("files that a worktree's repository names are guarded in the worktree", () => {
  const elsewhere = {
    '.git': 'gitdir: /home/ana/main/.git/worktrees/w\n',
    '/home/ana/main/.git/worktrees/w/commondir': '../..\n',
    '/home/ana/main/.git/worktrees/w/config.worktree': '[alias]\nx = !./run.sh',
    '/home/ana/main/.git/config': '[core]\nhooksPath = tools',
    ...tools,
  };
  const { leaves } = protectionPlan(guard(...gitPaths), tree(elsewhere));
  assert.deepEqual(leaves.map(({ path }) => path).toSorted(), ['run.sh', 'tools']);
});

test("files that a repository's submodules and the user's configuration name are guarded in a worktree", () => {
  const own = '/home/ana/main/.git/worktrees/w';
  const elsewhere = {
    '.git': `gitdir: ${own}\n`,
    [`${own}/commondir`]: '../..\n',
    [`${own}/modules/lib/config`]: `[core]\nworktree = ../../../../../../project/lib\n[diff]\nexternal = bin/x\n[submodule "in"]\nurl = x`,
    [`${own}/modules/lib/modules/in/config`]:
      '[core]\nworktree = /home/ana/project/lib/in\nhooksPath = h',
    '/home/ana/main/.git/config': '[submodule "lib"]\nurl = x\n[submodule "gone"]\nurl = y',
    '/home/ana/.gitconfig': '[core]\nhooksPath = .githooks',
    'lib/.git': `gitdir: ${own}/modules/lib\n`,
    ...{ 'lib/bin/x': '', 'lib/.githooks/a': '', 'lib/in/h/a': '', 'bin/x': '' },
  };
  const { leaves } = protectionPlan(guard(...gitPaths), tree(elsewhere));
  assert.deepEqual(leaves.map(({ path }) => path).toSorted(), [
    ...['lib/.githooks', 'lib/bin/x', 'lib/in/h'],
  ]);
});

test('configuration of worktrees and of nested submodules is read', () => {
  const files: Files = {
    ...tools,
    '.git/config.worktree': '[diff]\nexternal = tools/x',
    '.git/worktrees/w/gitdir': '/home/ana/project/wt/w/.git\n',
    '.git/worktrees/w/commondir': '../..\n',
    '.git/worktrees/w/config.worktree': '[gpg]\nprogram = ./run.sh',
    'wt/w/.git': 'gitdir: /workspace/.git/worktrees/w\n',
    'wt/w/.githooks/a': '',
    'wt/w/run.sh': '',
    '.git/modules/lib/HEAD': '',
    '.git/modules/lib/config': '[core]\nworktree = ../../../lib\n[diff]\nexternal = bin/x',
    '.git/modules/lib/modules/in/HEAD': '',
    '.git/modules/lib/modules/in/config':
      '[core]\nworktree = ../../../../../lib/in\nhooksPath = ../hooks',
    'lib/.git': 'gitdir: ../.git/modules/lib\n',
    'lib/in/.git': 'gitdir: ../../.git/modules/lib/modules/in\n',
    'lib/bin/x': '',
    'lib/in/a': '',
    'lib/hooks/a': '',
    'bin/x': '',
  };
  const config = '[core]\nhooksPath = .githooks\n[x]\ny = ./lib\nz = wt/w';
  const guarded = guardedBy(config, files);
  const inWorktree = ['file wt/w/run.sh', 'tree wt/w/.githooks'];
  for (const line of [
    ...['file tools/x', 'file run.sh'],
    ...['file lib/bin/x', 'tree lib/hooks', 'missing .githooks'],
  ])
    assert.ok(guarded.includes(line), line);
  // Checkouts stay writable, whatever names them.
  for (const line of ['tree lib', 'tree wt/w', ...inWorktree])
    assert.ok(!guarded.includes(line), line);
  // A submodule's programs lie in the submodule.
  assert.ok(!guarded.includes('file bin/x'));
  // The report covers other worktrees, in which nothing is guarded for this session.
  const reported = guardedBy(config, files, { ...guard(...gitPaths), everywhere: true });
  for (const line of inWorktree) assert.ok(reported.includes(line), line);
  // Git refuses a checkout whose top another user owns.
  const plan = protectionPlan(guard(...gitPaths), tree({ ...repository, ...files }));
  assert.equal(plan.ancestors.find(({ path }) => path === 'lib')?.by, 'group');
  const user = guardedBy('', { ...files, '/home/ana/.gitconfig': '[core]\nhooksPath = .githooks' });
  for (const line of ['missing lib/.githooks', 'missing lib/in/.githooks'])
    assert.ok(user.includes(line), `the user's own configuration: ${line}`);
});

test('a planted worktree entry removes no guard', () => {
  const planted = { ...tools, '.git/worktrees/evil/gitdir': '/home/ana/project/tools/lib/.git\n' };
  assert.deepEqual(guardedBy('[core]\nhooksPath = tools', planted), [
    'file .git/worktrees/evil/gitdir',
    'made .git/tools',
    'made .git/worktrees/evil/config.worktree',
    'made .git/worktrees/evil/tools',
    'tree tools',
  ]);
});

test('programs that run on a push are looked up in the git directory', () => {
  const files: Files = {
    ...tools,
    '.git/own/pre-receive': '',
    '.git/own/deep/x': '',
    '.git/refs.sh': '',
  };
  assert.deepEqual(guardedBy('[core]\nhooksPath = own', files), ['missing own', 'tree .git/own']);
  assert.deepEqual(guardedBy('[core]\nalternateRefsCommand = sh ./refs.sh', files), [
    'file .git/refs.sh',
    'missing refs.sh',
  ]);
  // Other programs run at the top of the checkout.
  assert.deepEqual(guardedBy('[core]\neditor = ./refs.sh', files), ['missing refs.sh']);
});

test('if only a git directory is shared, nothing outside it is guarded', () => {
  const files: Files = {
    '.bare/config':
      '[core]\nhooksPath = .githooks\n[user]\nsigningkey = ./id.pub\n[x]\ny = .bare/run.sh',
    '.bare/run.sh': '',
    '.bare/worktrees/main/gitdir': '/home/ana/project/main/.git\n',
    '.bare/worktrees/main/commondir': '../..\n',
    'main/.git': '',
    'main/.githooks/a': '',
    'id.pub': '',
    '.githooks/a': '',
  };
  const request = sharedGitRequest(guard(...gitPaths), '.bare', ['/home/ana/project/main']);
  assert.ok(request);
  const linked = { ...files, '.bare/hooks@': '../main/.githooks' };
  const { leaves, ancestors, missing, refused } = protectionPlan(request, tree(files));
  assert.ok(leaves.some(({ path }) => path === '.bare/run.sh'));
  for (const { path } of [...leaves, ...ancestors]) assert.match(path, /^\.bare(?:\/|$)/);
  assert.deepEqual([missing, refused], [[], []]);
  // In the worktree itself nothing else guards the target of a repository's link.
  assert.equal(protectionPlan(request, tree(linked)).refused[0]?.why, 'worktree');
});

test('writable paths apply in a shared git directory, and to every session that shares it', () => {
  const own = { ...guard(...gitPaths), writable: ['.git/hooks', '.githooks'] };
  const common = sharedGitRequest(own, '.git');
  assert.deepEqual(common?.writable, ['.git/hooks']);
  assert.ok(common);
  for (const both of [mergeRequests(own, common), mergeRequests(common, own)]) {
    assert.deepEqual(both.writable?.toSorted(), ['.git/hooks', '.githooks']);
    assert.equal(both.within, undefined);
  }
  const strict = sharedGitRequest(guard(...gitPaths), '.git');
  assert.ok(strict);
  assert.deepEqual(mergeRequests(strict, own).writable, ['.githooks']);
  assert.deepEqual(mergeRequests(guard(...gitPaths), common).writable, []);
  const other = sharedGitRequest(guard(...gitPaths), 'b.git');
  assert.ok(other);
  assert.deepEqual(mergeRequests(common, other).within, ['.git', 'b.git']);
});

test('configuration that cannot be read or guarded refuses the start and names the key', () => {
  for (const [config, files, message] of [
    ['[core\n', {}, /^git's configuration "\.git\/config" cannot be read, .*\(line 2\)$/],
    ['[x]\ny = "\n', {}, /cannot be read/],
    ['[include]\npath = ../a', { a: '[x' }, /^git's configuration "a" cannot be read/],
    [
      '[include]\npath = ../a',
      { 'a/b': '' },
      /"a" cannot be read.* \(named by "include.path in \.git\/config"\)$/,
    ],
    [
      '[diff]\nexternal = \uFFFD/x',
      {},
      /"\.git\/config" cannot be read.* \(named by "diff.external in \.git\/config"\)$/,
    ],
    [
      '[core]\nhooksPath = .',
      {},
      /^"\." \(named by "core.hookspath in \.git\/config"\) cannot be protected: it leads to "\."/,
    ],
    ['[core]\nhooksPath = .git', {}, /contains the workspace or its git directory/],
    ['[core]\nhooksPath = a', { 'a@': 'b', 'b@': 'a' }, /leads through a loop/],
    ['[diff]\nexternal = /other/x', {}, /leads out of the workspace and back into it/],
  ] as const) {
    const messages = guardedBy(config, files as Files);
    assert.ok(
      messages.some((one) => message.test(one)),
      `${config}: ${messages.join('; ')}`,
    );
  }
  // Names of people were once written in other encodings.
  assert.deepEqual(guardedBy('[user]\nname = Jos\uFFFD'), []);
  const unreadable = { ...tree({ ...repository }), text: () => undefined };
  assert.equal(protectionPlan(guard(...gitPaths), unreadable).refused[0]?.why, 'unread-config');
});

test('links on the path to a named file are guarded, even if they lead out of the workspace', () => {
  assert.deepEqual(
    guardedBy('[diff]\nexternal = bin/x', { 'bin@': 'tools', 'tools/x@': 'y', 'tools/y': '' }),
    ['file tools/y', 'link bin', 'link tools/x'],
  );
  assert.deepEqual(guardedBy('[diff]\nexternal = ./x', { 'x@': '/usr/bin/x' }), ['link x']);
});

test('paths that the user makes writable are not guarded for a key either', () => {
  const writable = { ...guard(...gitPaths), writable: ['tools'] };
  assert.deepEqual(
    guardedBy('[core]\nhooksPath = tools\n[diff]\nexternal = tools/x', tools, writable),
    ['made .git/tools'],
  );
  assert.deepEqual(guardedBy('[alias]\nx = !sh run.sh', tools, writable), ['file run.sh']);
});

test('a configuration that names too many files refuses the start', () => {
  const many = Array.from({ length: 21_000 }, (_, index) => `\tx = ./${index}`).join('\n');
  assert.ok(
    guardedBy(`[diff]\n${many}`).some((one) => /names more paths than coi can check/.test(one)),
  );
});
