import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Files, guard, tree } from '../../test/security/workspace-tree.ts';
import { protectionRefusal } from './protect.ts';
import { protectionPlan } from './protection-plan.ts';

const project: Files = {
  '.githooks/pre-commit': '',
  'bin/x': '',
  'bin/y': '',
  'git.conf': '[alias]\nz = !project/bin/y',
  src: '',
};

/** What is guarded in `/home/ana/project`, which has no repository of its own. */
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

test('what the repository around the workspace names in it is guarded, from its top as git goes', () => {
  assert.deepEqual(guardedBy({}), ['missing .git']);
  assert.deepEqual(
    guardedBy(of('[core]\nhooksPath = project/.githooks\nfsmonitor = project/bin/x')),
    ['file bin/x', 'missing .git', 'tree .githooks'],
  );
  const further = of('[core]\nhooksPath = ana/project/.githooks', '/home');
  assert.ok(guardedBy(further).includes('tree .githooks'));
  // Git goes to the top before it runs anything.
  assert.deepEqual(guardedBy(of('[diff]\nexternal = bin/x')), ['missing .git']);
  assert.ok(
    guardedBy(of('[core]\nhooksPath = /home/ana/project/.githooks')).includes('tree .githooks'),
  );
  const included = of('[include]\npath = ../project/git.conf');
  assert.deepEqual(guardedBy(included), ['file bin/y', 'file git.conf', 'missing .git']);
  assert.ok(guardedBy(of('[core]\nhooksPath = project/later')).includes('missing later'));
});

test('the nearest one counts, and what the user lets the agent write does not', () => {
  const both = {
    ...of('[core]\nhooksPath = project/.githooks'),
    ...of('[core]\nhooksPath = ana/project/bin', '/home'),
  };
  assert.deepEqual(guardedBy(both), ['missing .git', 'tree .githooks']);
  assert.deepEqual(guardedBy(both, ['.githooks']), ['missing .git']);
  assert.deepEqual(guardedBy(of('[core]\nhooksPath = other/.githooks')), ['missing .git']);
});

test('a worktree or a submodule around the workspace, whose repository lies elsewhere', () => {
  const files = {
    '/home/ana/.git': 'gitdir: /srv/repo/.git/worktrees/ana\n',
    '/srv/repo/.git/worktrees/ana/commondir': '../..\n',
    '/srv/repo/.git/config': '[core]\nhooksPath = project/.githooks',
    '/srv/repo/.git/worktrees/ana/config.worktree': '[diff]\nexternal = project/bin/x',
  };
  assert.deepEqual(guardedBy(files), ['file bin/x', 'missing .git', 'tree .githooks']);
});

test('a repository of its own is the one that counts', () => {
  const own = { '.git/HEAD': 'x', '.git/config': '', '.git/hooks/': '' };
  const lines = guardedBy({ ...own, ...of('[core]\nhooksPath = project/.githooks') });
  assert.ok(!lines.includes('tree .githooks'));
});

test('configuration around it that cannot be read refuses the start, as the project’s own does', () => {
  assert.match(
    guardedBy(of('[core\n')).join('\n'),
    /git's configuration "\/home\/ana\/\.git\/config" cannot be read/,
  );
});
