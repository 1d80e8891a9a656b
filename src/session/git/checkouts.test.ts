import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Files, guardedBy } from '../../../test/security/workspace-tree.ts';

const tools: Files = {
  'tools/x': '',
  'tools/lib/y': '',
  'my tools/x y': '',
  src: '',
  'run.sh': '',
};

test('a planted worktree entry removes no guard; a real checkout in a guarded directory refuses the start', () => {
  const config = '[alias]\nx = !node tools';
  const refusal = (lines: readonly string[]) => lines.find((line) => line.includes('contains the'));
  for (const entry of [
    { '.git/worktrees/evil/gitdir': '/home/ana/project/tools/lib/.git\n' },
    { '.git/worktrees/evil/gitdir': '../../../tools/lib/.git\n', 'tools/lib/.git': 'gitdir: /x' },
    {
      '.git/modules/evil/HEAD': '',
      '.git/modules/evil/config': '[core]\nworktree = ../../../tools/lib',
    },
  ]) {
    const guarded = guardedBy(config, { ...tools, ...entry });
    assert.ok(guarded.includes('tree tools'));
    assert.equal(refusal(guarded), undefined);
  }
  const real = {
    '.git/worktrees/w/gitdir': '/home/ana/project/tools/lib/.git\n',
    'tools/lib/.git': 'gitdir: /home/ana/project/.git/worktrees/w\n',
  };
  assert.match(
    refusal(guardedBy(config, { ...tools, ...real })) ?? '',
    /^"tools" \(named by|tools/,
  );
  // The configuration does not name it through that path.
  assert.equal(refusal(guardedBy('[alias]\nx = !cd .. && ./$1', { ...tools, ...real })), undefined);
});

test('a worktree entry that is a link is ignored', () => {
  const guarded = guardedBy('', { '.git/worktrees/evil@': '../../src', 'src/a': '' });
  assert.ok(!guarded.some((line) => line.includes('src')), guarded.join());
});
