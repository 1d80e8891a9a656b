import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Files,
  guard,
  guardedBy,
  repository,
  tree,
} from '../../../test/security/workspace-tree.ts';
import { bothRequests, commonRequest } from './protect-request.ts';
import { protectionPlan } from './protection-plan.ts';

const asked = ['.git/hooks', '.git/config', '.git/config.worktree'];
const tools: Files = {
  'tools/x': '',
  'tools/lib/y': '',
  'my tools/x y': '',
  src: '',
  'run.sh': '',
};

test('husky: its directory, which is there or is made by the next install', () => {
  const config = '[core]\n\thooksPath = .husky/_';
  // Where something is pushed, git looks for it in its own directory.
  const pushed = ['made .git/.husky', 'made .git/.husky/_'];
  assert.deepEqual(guardedBy(config, { '.husky/_/pre-commit': '' }), [...pushed, 'tree .husky/_']);
  assert.deepEqual(guardedBy(config, { '.husky/pre-commit': '' }), [...pushed, 'missing .husky/_']);
});

test('what does not exist yet counts where git would run or read it', () => {
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
    // Nobody knows that these are paths.
    ['[x]\n\ty = feature/new', []],
    ['[alias]\n\tx = log origin/new', []],
  ] as const)
    assert.deepEqual(guardedBy(line), expected, line);
});

test('includes are followed from the file that names them, whatever their condition is', () => {
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

test('configuration of the host outside of the project is read as well: what it names in it is run there', () => {
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
    `git's configuration "/home/ana/.gitconfig" cannot be read, and what git runs is not known (line 1)`,
  ]);
  // Its own files are the host's.
  assert.deepEqual(
    guardedBy('', {
      ...tools,
      '/home/ana/.gitconfig':
        '[core]\nexcludesFile = ~/.gitignore\neditor = ~/bin/e\n[alias]\nx = !../../bin/x',
    }),
    [],
  );
});

test('a worktree of a repository elsewhere: what that names lies in the worktree', () => {
  const elsewhere = {
    '.git': 'gitdir: /home/ana/main/.git/worktrees/w\n',
    '/home/ana/main/.git/worktrees/w/commondir': '../..\n',
    '/home/ana/main/.git/worktrees/w/config.worktree': '[alias]\nx = !./run.sh',
    '/home/ana/main/.git/config': '[core]\nhooksPath = tools',
    ...tools,
  };
  const { leaves } = protectionPlan(guard(...asked), tree(elsewhere));
  assert.deepEqual(leaves.map(({ path }) => path).toSorted(), ['run.sh', 'tools']);
});

test('a worktree of a repository elsewhere: also what its submodules name, and the user in them', () => {
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
  const { leaves } = protectionPlan(guard(...asked), tree(elsewhere));
  assert.deepEqual(leaves.map(({ path }) => path).toSorted(), [
    ...['lib/.githooks', 'lib/bin/x', 'lib/in/h'],
  ]);
});

test('all files of configuration: of worktrees and of submodules, also of those in others', () => {
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
  // Work goes on where something is checked out, whatever names it.
  for (const line of ['tree lib', 'tree wt/w', ...inWorktree])
    assert.ok(!guarded.includes(line), line);
  // A submodule's programs lie in the submodule.
  assert.ok(!guarded.includes('file bin/x'));
  // The report tells of other worktrees, in which nothing is guarded for this session.
  const told = guardedBy(config, files, { ...guard(...asked), everywhere: true });
  for (const line of inWorktree) assert.ok(told.includes(line), line);
  // Git refuses a checkout whose top is not the user's.
  const plan = protectionPlan(guard(...asked), tree({ ...repository, ...files }));
  assert.equal(plan.ancestors.find(({ path }) => path === 'lib')?.by, 'group');
  const user = guardedBy('', { ...files, '/home/ana/.gitconfig': '[core]\nhooksPath = .githooks' });
  for (const line of ['missing lib/.githooks', 'missing lib/in/.githooks'])
    assert.ok(user.includes(line), `the user's own configuration: ${line}`);
});

test('what an agent calls a worktree in the repository loosens nothing', () => {
  const planted = { ...tools, '.git/worktrees/evil/gitdir': '/home/ana/project/tools/lib/.git\n' };
  assert.deepEqual(guardedBy('[core]\nhooksPath = tools', planted), [
    'file .git/worktrees/evil/gitdir',
    'made .git/tools',
    'made .git/worktrees/evil/config.worktree',
    'made .git/worktrees/evil/tools',
    'tree tools',
  ]);
});

test('what runs when something is pushed is looked for in the directory of git', () => {
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

test('where only a directory of git is shared, nothing is guarded beside it', () => {
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
  const request = commonRequest(guard(...asked), '.bare', ['/home/ana/project/main']);
  assert.ok(request);
  const linked = { ...files, '.bare/hooks@': '../main/.githooks' };
  const { leaves, ancestors, missing, refused } = protectionPlan(request, tree(files));
  assert.ok(leaves.some(({ path }) => path === '.bare/run.sh'));
  for (const { path } of [...leaves, ...ancestors]) assert.match(path, /^\.bare(?:\/|$)/);
  assert.deepEqual([missing, refused], [[], []]);
  // In the worktree itself nobody else guards what a link of the repository leads to.
  assert.equal(protectionPlan(request, tree(linked)).refused[0]?.why, 'worktree');
});

test('what may be written holds in a shared directory of git, and for each session beside others', () => {
  const own = { ...guard(...asked), writable: ['.git/hooks', '.githooks'] };
  const common = commonRequest(own, '.git');
  assert.deepEqual(common?.writable, ['.git/hooks']);
  assert.ok(common);
  for (const both of [bothRequests(own, common), bothRequests(common, own)]) {
    assert.deepEqual(both.writable?.toSorted(), ['.git/hooks', '.githooks']);
    assert.equal(both.within, undefined);
  }
  const strict = commonRequest(guard(...asked), '.git');
  assert.ok(strict);
  assert.deepEqual(bothRequests(strict, own).writable, ['.githooks']);
  assert.deepEqual(bothRequests(guard(...asked), common).writable, []);
  const other = commonRequest(guard(...asked), 'b.git');
  assert.ok(other);
  assert.deepEqual(bothRequests(common, other).within, ['.git', 'b.git']);
});

test('what cannot be read or guarded refuses the start, and says which key names it', () => {
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
    ['[core]\nhooksPath = .git', {}, /holds the workspace or its git directory/],
    ['[core]\nhooksPath = a', { 'a@': 'b', 'b@': 'a' }, /goes round/],
    ['[diff]\nexternal = /other/x', {}, /leads out of the workspace and back into it/],
  ] as const) {
    const messages = guardedBy(config, files as Files);
    assert.ok(
      messages.some((one) => message.test(one)),
      `${config}: ${messages.join('; ')}`,
    );
  }
  // Names of people were written in other encodings once.
  assert.deepEqual(guardedBy('[user]\nname = Jos\uFFFD'), []);
  const unreadable = { ...tree({ ...repository }), text: () => undefined };
  assert.equal(protectionPlan(guard(...asked), unreadable).refused[0]?.why, 'unread-config');
});

test('links on the way to what is named are guarded, also where they lead out of the workspace', () => {
  assert.deepEqual(
    guardedBy('[diff]\nexternal = bin/x', { 'bin@': 'tools', 'tools/x@': 'y', 'tools/y': '' }),
    ['file tools/y', 'link bin', 'link tools/x'],
  );
  assert.deepEqual(guardedBy('[diff]\nexternal = ./x', { 'x@': '/usr/bin/x' }), ['link x']);
});

test('what the user lets the agent write is not guarded for a key either', () => {
  const writable = { ...guard(...asked), writable: ['tools'] };
  assert.deepEqual(
    guardedBy('[core]\nhooksPath = tools\n[diff]\nexternal = tools/x', tools, writable),
    ['made .git/tools'],
  );
  assert.deepEqual(guardedBy('[alias]\nx = !sh run.sh', tools, writable), ['file run.sh']);
});

test('a configuration that names more than can be looked at refuses the start', () => {
  const many = Array.from({ length: 21_000 }, (_, index) => `\tx = ./${index}`).join('\n');
  assert.ok(
    guardedBy(`[diff]\n${many}`).some((one) => /names more than coi can look at/.test(one)),
  );
});
