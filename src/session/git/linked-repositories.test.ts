import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Files, guard, repository, tree } from '../../../test/security/workspace-tree.ts';
import type { TreeFacts } from '../protect/path-walk.ts';
import { protectionPlan } from '../protect/protection-plan.ts';
import type { ProtectionPlan } from '../protect/protection-types.ts';
import { unvouchedMax } from './linked-repositories.ts';

const request = guard('.git/hooks', '.git/config', '.git/config.worktree');

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
const sealedPaths = ({ ancestors }: ProtectionPlan) =>
  ancestors.flatMap(({ path, readonly }) => (readonly ? [path] : []));

/** How many lookups in the workspace a plan makes. */
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
  protectionPlan(request, {
    ...facts,
    ...{ kind: counted(kind), names: counted(namesOf), text: counted(text), tree: counted(treeOf) },
  });
  return count;
}

test('ten submodules, named by the configuration or not, are guarded individually', () => {
  const unnamed = many(10, (name) => module(`.git/modules/${name}`));
  const plan = protectionPlan(request, tree({ ...real, ...unnamed }));
  assert.deepEqual([plan.whole, plan.refused, sealedPaths(plan)], [[], [], []]);
  for (const name of [...names, 'p0', 'p9'])
    assert.ok(guardsFile(plan, `.git/modules/${name}/config`), name);
});

test('thousands of planted submodules refuse nothing: the directory is sealed and real ones are guarded', () => {
  const plan = protectionPlan(request, tree({ ...real, ...planted(5000) }));
  assert.deepEqual([plan.whole, plan.refused], [['.git/modules'], []]);
  for (const name of names) assert.ok(guardsFile(plan, `.git/modules/${name}/config`), name);
  assert.ok(!plan.leaves.some(({ path }) => path.includes('/p1')));
  // The directory in between is a separate mount, also read-only.
  assert.deepEqual(sealedPaths(plan), ['.git/modules', '.git/modules/lib']);
  const [whole] = plan.ancestors.filter((one) => one.whole);
  assert.deepEqual([whole?.path, whole?.by], ['.git/modules', 'group']);
});

test('thousands of submodules take no more lookups than the individual limit', () => {
  const most = looks({ ...real, ...planted(unvouchedMax) });
  assert.ok(looks({ ...real, ...planted(5000) }) < most);
  assert.ok(looks({ ...real, ...entries(5000) }) < most);
});

test('nested submodules: real ones are guarded, and a planted chain is sealed as a whole', () => {
  const chain = (length: number, path: string): Files =>
    length === 0 ? {} : { ...module(path), ...chain(length - 1, `${path}/modules/m`) };
  const three = protectionPlan(request, tree({ ...repository, ...chain(3, '.git/modules/a') }));
  assert.deepEqual(three.whole, []);
  assert.ok(guardsFile(three, '.git/modules/a/modules/m/modules/m/config'));
  const long = protectionPlan(request, tree({ ...real, ...chain(300, '.git/modules/a') }));
  assert.deepEqual([long.whole, long.refused], [['.git/modules'], []]);
  assert.ok(
    looks({ ...real, ...chain(300, '.git/modules/a') }) < looks({ ...real, ...planted(99) }),
  );
});

test('submodules planted in a real one, with a long name, or sharing its prefix are sealed', () => {
  for (const more of [
    many(5000, (name) => module(`.git/modules/lib/real0/modules/${name}`)),
    many(5000, (name) => module(`.git/modules/lib/${name}`)),
    many(5000, (name) => ({ [`.git/modules/lib/${name}`]: '' })),
    module('.git/modules/a/b/c/d/e/f/g/h/i'),
  ]) {
    const plan = protectionPlan(request, tree({ ...real, ...more }));
    assert.deepEqual([plan.whole, plan.refused], [['.git/modules'], []]);
    assert.ok(guardsFile(plan, '.git/modules/lib/real0/config'));
  }
});

test('thousands of worktrees are sealed, and that of the session stays writable', () => {
  const own = '.git/worktrees/own';
  const files = {
    ...real,
    ...entries(5000),
    [`${own}/gitdir`]: '/home/ana/project/feature/.git\n',
    [`${own}/commondir`]: '../..\n',
  };
  const known = (directory: string) => (directory === '.git/worktrees' ? ['own'] : []);
  const plan = protectionPlan(request, { ...tree(files), known });
  assert.deepEqual([plan.whole, plan.refused], [['.git/worktrees'], []]);
  assert.deepEqual(sealedPaths(plan), ['.git/worktrees']);
  assert.ok(plan.ancestors.some(({ path, readonly }) => path === own && !readonly));
  assert.ok(guardsFile(plan, `${own}/gitdir`));
});

test("an unguardable submodule refuses the start if it is the host's, and is sealed if planted", () => {
  const broken = '[core\n';
  const evil = { ...module('.git/modules/evil', broken), ...entries(1) };
  const plan = protectionPlan(request, tree({ ...real, ...evil }));
  assert.deepEqual([plan.whole, plan.refused], [['.git/modules'], []]);
  assert.ok(guardsFile(plan, '.git/worktrees/p0/gitdir'));
  const worktree = { '.git/worktrees/evil/config.worktree': broken };
  assert.deepEqual(protectionPlan(request, tree({ ...real, ...worktree })).whole, [
    '.git/worktrees',
  ]);
  const both = protectionPlan(request, tree({ ...real, ...evil, ...worktree }));
  assert.deepEqual(both.whole, ['.git/worktrees', '.git/modules']);
  const own = { ...real, ...evil, '.git/modules/lib/real3/config': broken };
  assert.equal(protectionPlan(request, tree(own)).refused.at(-1)?.why, 'unread-config');
});

test('submodules that take too long to check are sealed as a whole, even if configured', () => {
  let nowMs = 0;
  const slow = (files: Files): TreeFacts => {
    const facts = tree(files);
    const kind = (path: string) => {
      if (path.startsWith('.git/modules/')) nowMs += 50;
      return facts.kind(path);
    };
    return { ...facts, kind, nowMs: () => nowMs };
  };
  const plan = protectionPlan(request, slow(real));
  assert.deepEqual([plan.whole, plan.refused], [['.git/modules'], []]);
  assert.ok(nowMs < 2000, `${nowMs}`);
});

test('while sessions run, guards and seals hold at every check, and new entries are ignored', () => {
  const facts = tree({ ...real, ...planted(5000) });
  const known = (directory: string) =>
    ({ '.git/modules': ['lib'], '.git/modules/lib': ['real0'] })[directory] ?? [];
  const isLate = (path: string) => !['.git/modules/lib', '.git/modules/lib/real0'].includes(path);
  const later = protectionPlan(request, { ...facts, known, isLate });
  assert.deepEqual(later.whole, []);
  assert.ok(guardsFile(later, '.git/modules/lib/real0/config'));
  assert.ok(!guardsFile(later, '.git/modules/lib/real1/config'));
  const isWhole = (path: string) => path === '.git/modules';
  const whole = protectionPlan(request, { ...facts, known, isLate, isWhole });
  assert.deepEqual(whole.whole, ['.git/modules']);
  assert.ok(guardsFile(whole, '.git/modules/lib/real0/config'));
});

test('a link in place of a git directory neither seals nor guards its target', () => {
  const sources = many(300, (name) => ({ [`src/${name}`]: '' }));
  for (const target of ['../src', '..', '.', 'objects']) {
    const files = { ...repository, ...sources, '.git/modules@': target, '.git/worktrees@': target };
    const plan = protectionPlan(request, tree({ ...files, '.git/objects/': '' }));
    assert.deepEqual([plan.whole, plan.refused, sealedPaths(plan)], [[], [], []], target);
    assert.ok(!plan.leaves.some(({ path }) => ['.git', 'src'].includes(path)), target);
  }
  const link = { ...real, '.git/modules/evil@': '../../src', 'src/HEAD': '' };
  const { leaves } = protectionPlan(request, tree(link));
  assert.ok(!leaves.some(({ path }) => path.startsWith('src')));
});

test('a name that is not text is sealed together with its siblings', () => {
  const files = { '.git/modules/e\uFFFDv/HEAD': '', '.git/worktrees/w\uFFFD/gitdir': '' };
  const plan = protectionPlan(request, tree({ ...real, ...files }));
  assert.deepEqual(plan.whole, ['.git/worktrees', '.git/modules']);
  assert.ok(guardsFile(plan, '.git/modules/lib/real0/config'));
});

test('following links is limited: beyond it the start is refused and nothing is released', () => {
  const chain = many(37, (name) => ({ [`d/${name}@`]: `p${Number(name.slice(1)) + 1}` }));
  const links = (at: string) =>
    many(2400, (name) => ({ [`${at}/${name}@`]: '/home/ana/project/d/p0' }));
  const made = { ...real, ...chain, 'd/p37': '', ...links('.vscode') };
  const wider = { ...request, paths: [...request.paths, '.vscode'] };
  let followed = 0;
  const facts = tree(made);
  const link = (path: string) => {
    followed += 1;
    return facts.link(path);
  };
  const plan = protectionPlan(wider, { ...facts, link });
  assert.equal(plan.refused[0]?.why, 'links');
  assert.ok(followed < 6000, `${followed}`);
  const planted = { ...module('.git/modules/evil'), ...links('.git/modules/evil/hooks') };
  const sealedPlan = protectionPlan(request, tree({ ...real, ...chain, 'd/p37': '', ...planted }));
  assert.deepEqual([sealedPlan.whole, sealedPlan.refused], [['.git/modules'], []]);
});
