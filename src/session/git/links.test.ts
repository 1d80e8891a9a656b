import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Files, guard, repository, tree } from '../../../test/security/workspace-tree.ts';
import type { TreeFacts } from '../protect/path-walk.ts';
import { protectionPlan } from '../protect/protection-plan.ts';
import type { ProtectionPlan } from '../protect/protection-types.ts';
import { strangersMax } from './links.ts';

const asked = guard('.git/hooks', '.git/config', '.git/config.worktree');

function module(path: string, config = ''): Files {
  return { [`${path}/HEAD`]: 'x', [`${path}/config`]: config, [`${path}/hooks/`]: '' };
}

function many(count: number, one: (name: string) => Files): Files {
  return Object.assign({}, ...Array.from({ length: count }, (_, n) => one(`p${n}`)));
}

const planted = (count: number) => many(count, (name) => module(`.git/modules/${name}`));
const entries = (count: number) =>
  many(count, (name) => ({
    [`.git/worktrees/${name}/gitdir`]: '/home/ana/elsewhere/.git\n',
    [`.git/worktrees/${name}/commondir`]: '../..\n',
  }));

const names = Array.from({ length: 10 }, (_, n) => `lib/real${n}`);
const real: Files = {
  ...repository,
  '.git/config': names.map((name) => `[submodule "${name}"]\nurl = x\n`).join(''),
  ...Object.assign({}, ...names.map((name) => module(`.git/modules/${name}`))),
};

const guardsFile = ({ leaves }: ProtectionPlan, path: string) =>
  leaves.some((leaf) => leaf.path === path && leaf.kind === 'file');
const held = ({ ancestors }: ProtectionPlan) =>
  ancestors.flatMap(({ path, readonly }) => (readonly ? [path] : []));

/** How often a plan asks what is in the workspace. */
function looks(files: Files): number {
  const facts = tree(files);
  let count = 0;
  const counted = <Args extends unknown[], Result>(ask: (...args: Args) => Result) => {
    return (...args: Args): Result => {
      count += 1;
      return ask(...args);
    };
  };
  const { kind, names: namesOf, text, tree: treeOf } = facts;
  protectionPlan(asked, {
    ...facts,
    ...{ kind: counted(kind), names: counted(namesOf), text: counted(text), tree: counted(treeOf) },
  });
  return count;
}

test('ten submodules, named by the configuration or not, are guarded one by one', () => {
  const unnamed = many(10, (name) => module(`.git/modules/${name}`));
  const plan = protectionPlan(asked, tree({ ...real, ...unnamed }));
  assert.deepEqual([plan.whole, plan.refused, held(plan)], [[], [], []]);
  for (const name of [...names, 'p0', 'p9'])
    assert.ok(guardsFile(plan, `.git/modules/${name}/config`), name);
});

test('thousands that an agent made refuse nothing: all is held as a whole, and the real ones are guarded', () => {
  const plan = protectionPlan(asked, tree({ ...real, ...planted(5000) }));
  assert.deepEqual([plan.whole, plan.refused], [['.git/modules'], []]);
  for (const name of names) assert.ok(guardsFile(plan, `.git/modules/${name}/config`), name);
  assert.ok(!plan.leaves.some(({ path }) => path.includes('/p1')));
  // What lies between is a mount of its own, through which nothing may be written either.
  assert.deepEqual(held(plan), ['.git/modules', '.git/modules/lib']);
  const [whole] = plan.ancestors.filter((one) => one.whole);
  assert.deepEqual([whole?.path, whole?.by], ['.git/modules', 'group']);
});

test('thousands cost no more looks than the most that are looked at one by one', () => {
  const most = looks({ ...real, ...planted(strangersMax) });
  assert.ok(looks({ ...real, ...planted(5000) }) < most);
  assert.ok(looks({ ...real, ...entries(5000) }) < most);
});

test('submodules in submodules: real ones are guarded, and a planted chain of them is held as a whole', () => {
  const chain = (length: number, path: string): Files =>
    length === 0 ? {} : { ...module(path), ...chain(length - 1, `${path}/modules/m`) };
  const three = protectionPlan(asked, tree({ ...repository, ...chain(3, '.git/modules/a') }));
  assert.deepEqual(three.whole, []);
  assert.ok(guardsFile(three, '.git/modules/a/modules/m/modules/m/config'));
  const long = protectionPlan(asked, tree({ ...real, ...chain(300, '.git/modules/a') }));
  assert.deepEqual([long.whole, long.refused], [['.git/modules'], []]);
  assert.ok(
    looks({ ...real, ...chain(300, '.git/modules/a') }) < looks({ ...real, ...planted(99) }),
  );
});

test('planted in a real submodule, in a long name, and in a name that has the same beginning', () => {
  for (const more of [
    many(5000, (name) => module(`.git/modules/lib/real0/modules/${name}`)),
    many(5000, (name) => module(`.git/modules/lib/${name}`)),
    many(5000, (name) => ({ [`.git/modules/lib/${name}`]: '' })),
    module('.git/modules/a/b/c/d/e/f/g/h/i'),
  ]) {
    const plan = protectionPlan(asked, tree({ ...real, ...more }));
    assert.deepEqual([plan.whole, plan.refused], [['.git/modules'], []]);
    assert.ok(guardsFile(plan, '.git/modules/lib/real0/config'));
  }
});

test('thousands of worktrees: those are held, and that of the session can be written in', () => {
  const own = '.git/worktrees/own';
  const files = {
    ...real,
    ...entries(5000),
    [`${own}/gitdir`]: '/home/ana/project/feature/.git\n',
    [`${own}/commondir`]: '../..\n',
  };
  const known = (directory: string) => (directory === '.git/worktrees' ? ['own'] : []);
  const plan = protectionPlan(asked, { ...tree(files), known });
  assert.deepEqual([plan.whole, plan.refused], [['.git/worktrees'], []]);
  assert.deepEqual(held(plan), ['.git/worktrees']);
  assert.ok(plan.ancestors.some(({ path, readonly }) => path === own && !readonly));
  assert.ok(guardsFile(plan, `${own}/gitdir`));
});

test('one that cannot be guarded refuses the start if it is the host’s, and is held if nobody vouches for it', () => {
  const broken = '[core\n';
  const evil = { ...module('.git/modules/evil', broken), ...entries(1) };
  const plan = protectionPlan(asked, tree({ ...real, ...evil }));
  assert.deepEqual([plan.whole, plan.refused], [['.git/modules'], []]);
  assert.ok(guardsFile(plan, '.git/worktrees/p0/gitdir'));
  const worktree = { '.git/worktrees/evil/config.worktree': broken };
  assert.deepEqual(protectionPlan(asked, tree({ ...real, ...worktree })).whole, ['.git/worktrees']);
  const both = protectionPlan(asked, tree({ ...real, ...evil, ...worktree }));
  assert.deepEqual(both.whole, ['.git/worktrees', '.git/modules']);
  const own = { ...real, ...evil, '.git/modules/lib/real3/config': broken };
  assert.equal(protectionPlan(asked, tree(own)).refused.at(-1)?.why, 'unread-config');
});

test('what takes too long is held as a whole, also where the configuration names it', () => {
  let nowMs = 0;
  const slow = (files: Files): TreeFacts => {
    const facts = tree(files);
    const kind = (path: string) => {
      if (path.startsWith('.git/modules/')) nowMs += 50;
      return facts.kind(path);
    };
    return { ...facts, kind, nowMs: () => nowMs };
  };
  const plan = protectionPlan(asked, slow(real));
  assert.deepEqual([plan.whole, plan.refused], [['.git/modules'], []]);
  assert.ok(nowMs < 2000, `${nowMs}`);
});

test('while sessions run, what they guard or hold is so at every look, and what is made meanwhile is not looked at', () => {
  const facts = tree({ ...real, ...planted(5000) });
  const known = (directory: string) =>
    ({ '.git/modules': ['lib'], '.git/modules/lib': ['real0'] })[directory] ?? [];
  const isLate = (path: string) => !['.git/modules/lib', '.git/modules/lib/real0'].includes(path);
  const later = protectionPlan(asked, { ...facts, known, isLate });
  assert.deepEqual(later.whole, []);
  assert.ok(guardsFile(later, '.git/modules/lib/real0/config'));
  assert.ok(!guardsFile(later, '.git/modules/lib/real1/config'));
  const isWhole = (path: string) => path === '.git/modules';
  const whole = protectionPlan(asked, { ...facts, known, isLate, isWhole });
  assert.deepEqual(whole.whole, ['.git/modules']);
  assert.ok(guardsFile(whole, '.git/modules/lib/real0/config'));
});

test('a link in the place of a directory of git has nothing held or sealed that it leads to', () => {
  const sources = many(300, (name) => ({ [`src/${name}`]: '' }));
  for (const target of ['../src', '..', '.', 'objects']) {
    const files = { ...repository, ...sources, '.git/modules@': target, '.git/worktrees@': target };
    const plan = protectionPlan(asked, tree({ ...files, '.git/objects/': '' }));
    assert.deepEqual([plan.whole, plan.refused, held(plan)], [[], [], []], target);
    assert.ok(!plan.leaves.some(({ path }) => ['.git', 'src'].includes(path)), target);
  }
  const link = { ...real, '.git/modules/evil@': '../../src', 'src/HEAD': '' };
  const { leaves } = protectionPlan(asked, tree(link));
  assert.ok(!leaves.some(({ path }) => path.startsWith('src')));
});

test('a name that is no text is held with all that is beside it', () => {
  const files = { '.git/modules/e\uFFFDv/HEAD': '', '.git/worktrees/w\uFFFD/gitdir': '' };
  const plan = protectionPlan(asked, tree({ ...real, ...files }));
  assert.deepEqual(plan.whole, ['.git/worktrees', '.git/modules']);
  assert.ok(guardsFile(plan, '.git/modules/lib/real0/config'));
});

test('links over links are followed up to a number: what an agent leaves so refuses the start, and frees nothing', () => {
  const chain = many(37, (name) => ({ [`d/${name}@`]: `p${Number(name.slice(1)) + 1}` }));
  const links = (at: string) =>
    many(2400, (name) => ({ [`${at}/${name}@`]: '/home/ana/project/d/p0' }));
  const made = { ...real, ...chain, 'd/p37': '', ...links('.vscode') };
  const wish = { ...asked, paths: [...asked.paths, '.vscode'] };
  let followed = 0;
  const facts = tree(made);
  const link = (path: string) => {
    followed += 1;
    return facts.link(path);
  };
  const plan = protectionPlan(wish, { ...facts, link });
  assert.equal(plan.refused[0]?.why, 'links');
  assert.ok(followed < 6000, `${followed}`);
  const planted = { ...module('.git/modules/evil'), ...links('.git/modules/evil/hooks') };
  const held = protectionPlan(asked, tree({ ...real, ...chain, 'd/p37': '', ...planted }));
  assert.deepEqual([held.whole, held.refused], [['.git/modules'], []]);
});
