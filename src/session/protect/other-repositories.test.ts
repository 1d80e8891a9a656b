import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Files, guard, tree } from '../../../test/security/workspace-tree.ts';
import { protectionRefusal } from './protect.ts';
import { protectionPlan } from './protection-plan.ts';

const project: Files = {
  '.githooks/pre-commit': '',
  'bin/x': '',
  'bin/y': '',
  'git.conf': '[alias]\nz = !project/bin/y',
  src: '',
};

/** Guarded paths in `/home/ana/project`, which has no repository of its own. */
function guardedBy(files: Files, writable: readonly string[] = []): string[] {
  const request = { ...guard('.git/hooks', '.git/config'), writable };
  const { leaves, missing, refused } = protectionPlan(request, tree({ ...project, ...files }));
  return [
    ...leaves.map(({ path, kind }) => `${kind} ${path}`),
    ...missing.map((path) => `missing ${path}`),
    ...refused.map((one) => protectionRefusal(one).message),
  ].toSorted();
}

const of = (config: string, top = '/home/ana'): Files => ({
  [`${top}/.git/HEAD`]: 'ref: refs/heads/main',
  [`${top}/.git/config`]: config,
});

test('files in the workspace that an enclosing repository names are guarded, relative to its top', () => {
  assert.deepEqual(guardedBy({}), ['missing .git']);
  assert.deepEqual(
    guardedBy(of('[core]\nhooksPath = project/.githooks\nfsmonitor = project/bin/x')),
    ['file bin/x', 'missing .git', 'tree .githooks'],
  );
  const further = of('[core]\nhooksPath = ana/project/.githooks', '/home');
  assert.ok(guardedBy(further).includes('tree .githooks'));
  // Git changes to the top before it runs anything.
  assert.deepEqual(guardedBy(of('[diff]\nexternal = bin/x')), ['missing .git']);
  assert.ok(
    guardedBy(of('[core]\nhooksPath = /home/ana/project/.githooks')).includes('tree .githooks'),
  );
  const included = of('[include]\npath = ../project/git.conf');
  assert.deepEqual(guardedBy(included), ['file bin/y', 'file git.conf', 'missing .git']);
  assert.ok(guardedBy(of('[core]\nhooksPath = project/later')).includes('missing later'));
});

test('the nearest enclosing repository counts, and paths made writable are not guarded', () => {
  const both = {
    ...of('[core]\nhooksPath = project/.githooks'),
    ...of('[core]\nhooksPath = ana/project/bin', '/home'),
  };
  assert.deepEqual(guardedBy(both), ['missing .git', 'tree .githooks']);
  assert.deepEqual(guardedBy(both, ['.githooks']), ['missing .git']);
  assert.deepEqual(guardedBy(of('[core]\nhooksPath = other/.githooks')), ['missing .git']);
});

test('files named by an enclosing worktree or submodule are guarded if its repository lies elsewhere', () => {
  const files = {
    '/home/ana/.git': 'gitdir: /srv/repo/.git/worktrees/ana\n',
    '/srv/repo/.git/worktrees/ana/commondir': '../..\n',
    '/srv/repo/.git/config': '[core]\nhooksPath = project/.githooks',
    '/srv/repo/.git/worktrees/ana/config.worktree': '[diff]\nexternal = project/bin/x',
  };
  assert.deepEqual(guardedBy(files), ['file bin/x', 'missing .git', 'tree .githooks']);
});

test('a .git in the workspace does not hide the repository around it', () => {
  const around = of('[core]\nhooksPath = project/.githooks');
  for (const own of [
    { '.git/': '' },
    { '.git/HEAD': 'x', '.git/config': '', '.git/hooks/': '' },
    { '.git': 'gitdir: /nowhere\n' },
    { '.git': '' },
  ])
    assert.ok(guardedBy({ ...own, ...around }).includes('tree .githooks'), JSON.stringify(own));
});

test('submodules whose directories link to each other are checked once', () => {
  const names = Array.from({ length: 30 }, (_, n) => `[submodule "n${n}"]\nurl = x\n`).join('');
  const git = '/srv/repo/.git/worktrees/ana';
  const files = {
    '.git': `gitdir: ${git}\n`,
    [`${git}/commondir`]: '../..\n',
    '/srv/repo/.git/config': '[submodule "lib"]\nurl = x\n',
    [`${git}/modules/lib/config`]: `${names}[core]\nhooksPath = .githooks\n`,
  };
  const { outside, ...facts } = tree({ ...project, ...files });
  let count = 0;
  const follow = (path: string) => {
    count += 1;
    // Each is a link to the one above it.
    const at = path.replace(/(?:\/modules\/n\d+)+/, '');
    const found = outside?.(at) ?? 'missing';
    return typeof found === 'object' ? { ...found, at } : found;
  };
  const plan = protectionPlan(guard('.git/hooks', '.git/config'), { ...facts, outside: follow });
  assert.ok(plan.leaves.some(({ path }) => path === '.githooks'));
  assert.ok(count < 200, `${count} files`);
});

test('unreadable configuration of an enclosing repository refuses the start', () => {
  assert.match(
    guardedBy(of('[core\n')).join('\n'),
    /git's configuration "\/home\/ana\/\.git\/config" cannot be read/,
  );
});
