// Goal: git of the host goes into every submodule that the index names, and runs what its configuration says. The index is the
// agent's to write, so a submodule that was not there when the session began never stays in it with a repository.
// Method: the agent adds a repository that runs a program at each look; the host's git looks, with the guard off and on.
import assert from 'node:assert/strict';
import { existsSync, lstatSync, readFileSync, rmSync, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { readIndex } from '../../src/session/git-index.ts';
import { type CoidBed, coidBed } from '../incus/coid-bed.ts';
import { asUser, protect, repository, untilGuarded } from './protect-bed.ts';
import { commonOf, ended, killed, worktrees } from './worktree-bed.ts';

const limit = { timeout: 240_000 };
const uid = 1003;
const identity = ['-c', 'user.name=A', '-c', 'user.email=a@example.invalid'];
const local = ['-c', 'protocol.file.allow=always'];

const setUp = `set -e; export HOME=/tmp/home; mkdir -p $HOME; git config --global user.name A; git config --global user.email a@b
git config --global advice.addEmbeddedRepo false; git config --global --add safe.directory '*'`;

/** A repository at a path, which leaves a file beside itself when git looks into it. */
const trap = (path: string) => `git init -q ${path}; git -C ${path} commit -q --allow-empty -m x
git -C ${path} config core.fsmonitor 'touch ../ran; false'`;

/** Into the index of the directory in which it runs. */
const link = (path: string, id = `$(git -C ${path} rev-parse HEAD)`) =>
  `git update-index --add --cacheinfo 160000,${id},${path}`;

const anyId = '1'.repeat(40);

function gitlinks(index: string): string[] {
  const found = readIndex(readFileSync(index), 20);
  assert.ok(found, `${index} cannot be read`);
  return found.gitlinks.map(({ path }) => path).sort();
}

/** Resolves when that is so, looked at after each change in these directories; rejects after 20 s. */
function until(directories: readonly string[], is: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const watchers = directories.map((path) => watch(path));
    const end = (error?: Error) => {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
      if (error) reject(error);
      else resolve();
    };
    const timer = setTimeout(() => end(new Error(`not after 20 s in ${directories}`)), 20_000);
    const look = () => {
      if (is()) end();
    };
    for (const watcher of watchers) watcher.on('change', look);
    look();
  });
}

/** The index has exactly these submodules. */
function untilLinked(index: string, paths: readonly string[]): Promise<void> {
  return until([dirname(index)], () => gitlinks(index).join() === paths.join());
}

/** It stays in the index, sealed without a repository, or is out of it: who was first decides. */
function untilSealed(workspace: string, path: string): Promise<void> {
  const isSealed = () =>
    (lstatSync(join(workspace, path), { throwIfNoEntry: false })?.uid ?? 0) >= 0x7000_0000 &&
    !existsSync(join(workspace, path, '.git'));
  const isOut = () => !gitlinks(join(workspace, '.git/index')).includes(path);
  return until([workspace, join(workspace, '.git')], () => isOut() || isSealed());
}

async function agent(bed: CoidBed, container: string, script: string, directory = '/workspace') {
  const done = await bed.sh(container, `${setUp}; cd ${directory}; ${script}`);
  assert.equal(done.status, 0, done.stderr.toString());
}

const status = (workspace: string) =>
  asUser(uid, ['git', '-C', workspace, 'status', '--porcelain']);

for (const [name, script] of [
  ['by a number', `${trap('x')}\n${link('x')}`],
  ['with git add', `${trap('x')}\ngit add x`],
  ['before it is there', `${link('x', anyId)}; ${trap('x')}`],
  ['in an index of version 4', `${trap('x')}\n${link('x')}; git update-index --index-version 4`],
  ['over a link', `${trap('y')}\nln -s y x; ${link('x', '$(git -C y rev-parse HEAD)')}`],
] as const)
  test(
    `a repository that the agent adds ${name} is out of the index again, and as it was`,
    limit,
    async () => {
      await using bed = await coidBed();
      const [guarded, open] = [await repository(bed, uid), await repository(bed, uid)];
      const control = await bed.session({ workspace: open });
      await agent(bed, control.container, script);
      // What git of the host does with a link there depends on its version.
      await status(open).catch(() => '');
      if (name !== 'over a link') assert.ok(existsSync(join(open, 'ran')), 'the control');
      const held = await bed.session({ workspace: guarded, protect });
      await bed.sh(held.container, `${setUp}; cd /workspace; ${script}`);
      if (name === 'before it is there') await untilSealed(guarded, 'x');
      else await untilLinked(join(guarded, '.git/index'), []);
      rmSync(join(guarded, 'ran'), { force: true });
      await status(guarded);
      assert.ok(!existsSync(join(guarded, 'ran')));
      if (name !== 'before it is there') assert.match(await status(guarded), /^\?\? x/m);
    },
  );

test(
  'a submodule that is not checked out stays so, whoever named it: without the guard it does not',
  limit,
  async () => {
    await using bed = await coidBed();
    const [guarded, open] = [await repository(bed, uid), await repository(bed, uid)];
    for (const one of [guarded, open])
      await asUser(uid, [
        'git',
        '-C',
        one,
        'update-index',
        '--add',
        '--cacheinfo',
        `160000,${anyId},lib`,
      ]);
    const control = await bed.session({ workspace: open });
    const held = await bed.session({ workspace: guarded, protect });
    await agent(
      bed,
      held.container,
      `mkdir -p deep/er; ${link('deep/er/x', anyId)}; ${link('none/x', anyId)}`,
    );
    await untilGuarded(join(guarded, 'deep/er/x'));
    await untilGuarded(join(guarded, 'none'));
    for (const path of ['lib', 'deep/er/x', 'none/x'])
      for (const user of ['agent', 'root'] as const)
        for (const script of [
          `git init -q ${path} && rm -rf ${path}`,
          `git init -q /tmp/r && mkdir -p ${dirname(path)} && mv -T /tmp/r ${path} && rm -rf ${path}`,
          `ln -sfn /tmp/r ${path} && test -L ${path} && rm ${path}`,
        ]) {
          const run = (container: string) =>
            bed.sh(container, `${setUp}; rm -rf /tmp/r; cd /workspace; ${script}`, user);
          const done = await run(control.container);
          assert.equal(
            done.status,
            0,
            `the control, ${user}: ${script}: ${done.stderr.toString()}`,
          );
          assert.notEqual((await run(held.container)).status, 0, `${user}: ${script}`);
        }
    // The host may, and what it puts there is its own.
    await asUser(uid, ['git', 'init', '-q', join(guarded, 'lib')]);
    await ended(bed, held.container);
    assert.deepEqual(gitlinks(join(guarded, '.git/index')), ['deep/er/x', 'lib', 'none/x']);
    assert.ok(!existsSync(join(guarded, 'none')), 'what coi made is gone');
  },
);

async function withSubmodule(bed: CoidBed) {
  const [library, workspace] = [await repository(bed, uid), await repository(bed, uid)];
  const git = (...words: string[]) =>
    asUser(uid, ['git', '-C', workspace, ...local, ...identity, ...words]);
  await git('submodule', '--quiet', 'add', library, 'parts/lib');
  await git('commit', '--quiet', '-m', 'lib');
  return { workspace, git, index: join(workspace, '.git/modules/parts/lib/index') };
}

/** Each takes its own effect back. */
const checkoutAttacks = [
  'cp parts/lib/.git /tmp/d && echo "gitdir: /tmp" > parts/lib/.git && cat /tmp/d > parts/lib/.git',
  'cp parts/lib/.git parts/lib/new && mv -f parts/lib/new parts/lib/.git',
  'mv parts/lib/.git parts/lib/g && mv parts/lib/g parts/lib/.git',
  'mv parts/lib parts/l2 && mv parts/l2 parts/lib',
  'mv parts p2 && mv p2 parts',
];

test(
  'a submodule that was there leads nowhere else, and one that is added in it is taken out',
  limit,
  async () => {
    await using bed = await coidBed();
    const [guarded, open] = [await withSubmodule(bed), await withSubmodule(bed)];
    const control = await bed.session({ workspace: open.workspace });
    const held = await bed.session({ workspace: guarded.workspace, protect });
    for (const script of checkoutAttacks)
      for (const user of ['agent', 'root'] as const) {
        const run = (container: string) => bed.sh(container, `cd /workspace; ${script}`, user);
        const done = await run(control.container);
        assert.equal(done.status, 0, `the control, ${user}: ${script}: ${done.stderr.toString()}`);
        assert.notEqual((await run(held.container)).status, 0, `${user}: ${script}`);
      }
    const nested = `cd parts/lib; ${trap('x')}\n${link('x')}`;
    await agent(bed, control.container, nested);
    await status(open.workspace);
    assert.ok(existsSync(join(open.workspace, 'parts/lib/ran')), 'the control');
    await agent(bed, held.container, nested);
    await untilLinked(guarded.index, []);
    rmSync(join(guarded.workspace, 'parts/lib/ran'), { force: true });
    await status(guarded.workspace);
    assert.ok(!existsSync(join(guarded.workspace, 'parts/lib/ran')));
    assert.deepEqual(gitlinks(join(guarded.workspace, '.git/index')), ['parts/lib']);
    // Work in it goes on, inside and on the host.
    await agent(
      bed,
      held.container,
      'cd parts/lib; git commit -q --allow-empty -m inside; git -C ../.. add parts/lib; git -C ../.. commit -q -m up',
    );
    await guarded.git('-C', 'parts/lib', 'commit', '--quiet', '--allow-empty', '-m', 'host');
    await ended(bed, held.container);
    await guarded.git('submodule', 'update', '--init');
    await guarded.git('submodule', 'deinit', '--force', 'parts/lib');
  },
);

test('in a linked worktree it is the same', limit, async () => {
  await using bed = await coidBed();
  const { feature, common } = await worktrees(bed, uid);
  const { container } = await bed.session({
    workspace: feature,
    mounts: [commonOf(common)],
    protect,
  });
  await agent(
    bed,
    container,
    `${trap('x')}\n${link('x')}; cp -r x constructor; ${link('constructor')}`,
    feature,
  );
  await untilLinked(join(common, 'worktrees/feature/index'), []);
  rmSync(join(feature, 'ran'), { force: true });
  await status(feature);
  assert.ok(!existsSync(join(feature, 'ran')));
});

test('who goes on with it is stopped, and so is who holds the index', limit, async () => {
  await using bed = await coidBed();
  const [stubborn, locking] = [await repository(bed, uid), await repository(bed, uid)];
  const again = `${trap('x')}
for n in $(seq 300); do ${link('x')} 2>/dev/null || sleep 0.05; done`;
  const inPlace = `${trap('x')}
cp .git/index /tmp/i; GIT_INDEX_FILE=/tmp/i ${link('x')}
touch .git/index.lock; cat /tmp/i > .git/index`;
  for (const [workspace, script] of [
    [stubborn, again],
    [locking, inPlace],
  ] as const) {
    const { container } = await bed.session({ workspace, protect });
    const frozen = bed.lifecycle.until('instance-paused', container);
    const running = bed.sh(container, `${setUp}; cd /workspace; ${script}`);
    running.catch(() => undefined);
    await frozen;
    assert.equal(await bed.status(container), 'Frozen');
    const found = await bed.incus.instance(container);
    assert.match(found?.instance.config['user.coi.alert'] ?? '', /Submodules added/);
  }
});

test(
  'what was added while coid was away, or as the session ended, is taken out by it',
  limit,
  async () => {
    await using bed = await coidBed();
    const [away, last] = [await repository(bed, uid), await repository(bed, uid)];
    const first = await bed.session({ workspace: away, protect });
    await bed.daemon.crash();
    await agent(bed, first.container, `${trap('x')}\n${link('x')}`);
    assert.deepEqual(gitlinks(join(away, '.git/index')), ['x']);
    await bed.daemon.start();
    await untilLinked(join(away, '.git/index'), []);
    const second = await bed.session({ workspace: last, protect });
    await bed.daemon.crash();
    await agent(bed, second.container, `${trap('x')}\n${link('x')}`);
    await killed(bed, second.container);
    await bed.daemon.start();
    await untilLinked(join(last, '.git/index'), []);
  },
);
