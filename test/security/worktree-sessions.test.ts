// Goal: sessions in several worktrees and the main checkout of one repository, and the host's git, do not
// disturb each other, and the guard stays until the last session has ended.
// Method: real sessions of one user; the state of the repository is compared afterwards.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeCoidBed } from '../incus/coid-bed.ts';
import { asUser, inventory, protect } from './protect-bed.ts';
import {
  commonOf,
  killAndRelease,
  killSession,
  makeWorktrees,
  untilReleased,
} from './worktree-bed.ts';

const limit = { timeout: 180_000 };
const uid = 1003;

test(
  'sessions in two worktrees and the main checkout share one guard until the last has ended',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const { main, common, feature, other } = await makeWorktrees(bed, uid);
    const before = await inventory(join(main, '..'));
    const sessions = [
      await bed.session({ workspace: feature, mounts: [commonOf(common)], protect }),
      await bed.session({ workspace: main, protect }),
      await bed.session({ workspace: other, mounts: [commonOf(common, 'other')], protect }),
    ];
    const mainPaths = [main, '/workspace', main];
    const attack = 'cd AT/.git && echo x >> config && echo x > hooks/pre-commit';
    for (const [index, { container }] of sessions.entries()) {
      for (const [nth, one] of sessions.entries()) {
        if (nth < index) continue;
        const script = attack.replace('AT', mainPaths[nth] ?? '');
        assert.notEqual((await bed.sh(one.container, script, 'root')).status, 0, `${index} ${nth}`);
      }
      await killSession(bed, container);
      await bed.untilUnmounted(sessions[index]?.id ?? '');
    }
    await untilReleased(bed);
    assert.deepEqual(await inventory(join(main, '..')), before);
  },
);

test(
  'a restarted container gets its guarded directory again, even after coid was killed',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const { common, feature } = await makeWorktrees(bed, uid);
    const session = { workspace: feature, mounts: [commonOf(common)], protect, persistent: true };
    const { container, id } = await bed.session(session);
    const attack = `cd ${common} && echo x >> config`;
    const state = async (action: 'stop' | 'start') => {
      const operation = await bed.incus.changeState(container, {
        action,
        force: true,
        timeout: 30,
      });
      await operation.wait({ timeoutMs: 60_000 });
    };
    await state('stop');
    const made = await bed.coid.remount(container, { id, startId: randomUUID() });
    assert.deepEqual(made.map(({ name }) => name).toSorted(), ['git', 'workspace']);
    await state('start');
    const done = await bed.sh(container, `cd ${feature} && git status --porcelain`);
    assert.equal(done.status, 0, done.stderr.toString());
    assert.notEqual((await bed.sh(container, attack, 'root')).status, 0);
    await bed.daemon.crash();
    await bed.daemon.start();
    assert.notEqual((await bed.sh(container, attack, 'root')).status, 0);
    await killAndRelease(bed, container);
  },
);

test(
  'a worktree made by an agent stays usable when another session starts next to it',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const { main, common, feature } = await makeWorktrees(bed, uid);
    const first = await bed.session({ workspace: main, protect });
    const commit = 'git -c user.name=a -c user.email=a@example.invalid commit -q --allow-empty -m';
    const sh = async (script: string) => {
      const done = await bed.sh(first.container, `cd /workspace && ${script}`);
      assert.equal(done.status, 0, done.stderr.toString());
    };
    await sh(
      `git worktree add -q .claude/worktrees/x -b x && cd .claude/worktrees/x && ${commit} a`,
    );
    await bed.session({ workspace: feature, mounts: [commonOf(common)], protect });
    await bed.session({ workspace: main, protect });
    await sh(`cd .claude/worktrees/x && ${commit} b`);
    // A worktree that the host made meanwhile works in its own session.
    const late = `${main}-late`;
    await asUser(uid, ['git', '-C', main, 'worktree', 'add', '--quiet', late]);
    const mounts = [commonOf(common, 'repo-late')];
    const { container } = await bed.session({ workspace: late, mounts, protect });
    const done = await bed.sh(container, `cd ${late} && ${commit} c`);
    assert.equal(done.status, 0, done.stderr.toString());
    const script = `echo x > ${common}/worktrees/repo-late/config.worktree`;
    assert.notEqual((await bed.sh(container, script, 'root')).status, 0);
  },
);

test(
  'a hundred worktrees elsewhere are all sealed, and the host can add and remove them',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const { main, common, feature, other } = await makeWorktrees(bed, uid);
    const before = await inventory(join(main, '.git'));
    const git = (...words: string[]) => asUser(uid, ['git', '-C', main, ...words]);
    const script = `for i in $(seq 100); do git -C ${main} worktree add -q ../w$i; done`;
    await asUser(uid, ['sh', '-c', script]);
    const first = await bed.session({ workspace: main, protect });
    const each = (command: string) =>
      `cd /workspace/.git/worktrees && n=0; for w in *; do (cd $w && ${command}) 2>/dev/null && n=$((n+1)); done; echo $n`;
    for (const command of [
      'echo x > config.worktree',
      'echo x > commondir',
      'mv gitdir g',
      'touch index.lock',
    ]) {
      const done = await bed.sh(first.container, each(command));
      assert.equal(done.stdout.toString(), '0\n', command);
    }
    await git('worktree', 'remove', other);
    await git('worktree', 'add', '--quiet', `${other}2`);
    // Once a session starts in one, it is sealed for the first session no longer than needed.
    const second = await bed.session({ workspace: feature, mounts: [commonOf(common)], protect });
    const commit =
      'git -c user.name=a -c user.email=a@example.invalid commit -q --allow-empty -m a';
    const worked = await bed.sh(second.container, `cd ${feature} && ${commit}`);
    assert.equal(worked.status, 0, worked.stderr.toString());
    const withGuard = await bed.sh(first.container, each('touch index.lock'), 'root');
    assert.equal(withGuard.stdout.toString(), '1\n', 'only the one that the host made just now');
    const names = (await readdir(`${common}/worktrees`)).toSorted();
    assert.ok(names.includes('other2') && !names.includes('other'), names.join(' '));
    for (const { container } of [first, second]) await killSession(bed, container);
    await untilReleased(bed);
    await asUser(uid, ['rm', `${common}/worktrees/other2/index.lock`]);
    const removed = `for i in $(seq 100); do git -C ${main} worktree remove ../w$i && git -C ${main} branch -qD w$i; done`;
    await asUser(uid, ['sh', '-c', removed]);
    const after = await inventory(join(main, '.git'));
    const owners = (found: Record<string, string>, path: string) => found[path]?.split(' ')[0];
    for (const path of Object.keys(before))
      if (after[path]) assert.equal(owners(after, path), owners(before, path), path);
  },
);

test(
  '`git worktree prune` inside removes no host worktree; without the guard it does',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const inside = async (guard: object) => {
      const { common, feature, other } = await makeWorktrees(bed, uid);
      const session = { workspace: feature, mounts: [commonOf(common)], ...guard };
      const { container } = await bed.session(session);
      await bed.sh(container, `cd ${feature} && git worktree prune`);
      return asUser(uid, ['git', '-C', other, 'status', '--porcelain']);
    };
    await assert.rejects(inside({}), /not a git repository/);
    assert.equal(await inside({ protect }), '');
  },
);

test(
  'two repositories in one directory are each guarded completely, with sessions in both',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const top = await bed.directory(uid);
    const bare = async (name: string) => {
      const { main } = await makeWorktrees(bed, uid);
      const common = join(top, `${name}.git`);
      await asUser(uid, ['git', 'clone', '--quiet', '--bare', main, common]);
      for (const branch of ['feature', 'other']) {
        const at = join(top, `${name}-${branch}`);
        await asUser(uid, ['git', '-C', common, 'worktree', 'add', '--quiet', at, branch]);
      }
      const mounts = [commonOf(common, `${name}-feature`)];
      const { container } = await bed.session({
        workspace: join(top, `${name}-feature`),
        ...{ mounts, protect },
      });
      return { common, container, other: `${common}/worktrees/${name}-other` };
    };
    for (const { common, container, other } of [await bare('a'), await bare('b')])
      for (const path of [`${common}/config`, `${common}/hooks/x`, `${other}/config.worktree`]) {
        const done = await bed.sh(container, `echo x >> ${path}`, 'root');
        assert.notEqual(done.status, 0, path);
      }
  },
);

const identity = '-c user.name=a -c user.email=a@example.invalid';
const hooked = `umask 077; mkdir repo; cd repo; git init -q; mkdir .githooks; printf '#!/bin/sh\\n' > .githooks/pre-commit; chmod +x .githooks/pre-commit; git add .; git ${identity} commit -qm x`;

for (const { title, script, common, checkouts } of [
  {
    title: 'next to their bare repository',
    script: `${hooked}; cd ..; git clone -q --bare repo .bare; rm -r repo; cd .bare; git config core.hooksPath .githooks; git worktree add -q ../x -b x; git worktree add -q ../y -b y`,
    common: '.bare',
    checkouts: ['x', 'y'],
  },
  {
    title: 'in the main checkout',
    script: `${hooked}; git config core.hooksPath .githooks; git worktree add -q .trees/x -b x; git worktree add -q .trees/y -b y`,
    common: 'repo/.git',
    checkouts: ['repo/.trees/x', 'repo/.trees/y', 'repo'],
  },
])
  test(`worktrees ${title} have guarded hooks and work on both sides`, limit, async () => {
    await using bed = await makeCoidBed();
    const top = await bed.directory(uid);
    await asUser(uid, ['sh', '-ec', `cd ${top}; ${script}`]);
    const workspaces = checkouts.map((path) => join(top, path));
    const [feature = ''] = workspaces;
    const mounts = [commonOf(join(top, common), 'x')];
    const hook = 'cd AT && cp .githooks/pre-commit /tmp/h && cat /tmp/h > .githooks/pre-commit';
    const rename = 'cd AT && mv .githooks g && mv g .githooks';
    const attacks = [hook, rename].map((one) => one.replaceAll('AT', feature));
    const open = await bed.session({ workspace: feature, mounts });
    for (const attack of attacks) assert.equal((await bed.sh(open.container, attack)).status, 0);
    await killSession(bed, open.container);
    await bed.untilUnmounted(open.id);

    const before = await inventory(top);
    const status = async () => {
      for (const workspace of workspaces)
        await asUser(uid, ['git', '-C', workspace, 'status', '--porcelain']);
    };
    const stillSealed = async (container: string, tries: readonly string[]) => {
      for (const attack of tries)
        for (const user of ['agent', 'root'] as const)
          assert.notEqual((await bed.sh(container, attack, user)).status, 0, attack);
    };
    const first = await bed.session({ workspace: feature, mounts, protect });
    await status();
    const work = `cd ${feature} && echo x > new && git status --porcelain && git add new && git ${identity} commit -qm n`;
    const worked = await bed.sh(first.container, work);
    assert.equal(worked.status, 0, worked.stderr.toString());
    await stillSealed(first.container, attacks);
    const sessions = [first];
    if (workspaces.includes(join(top, 'repo'))) {
      const second = await bed.session({ workspace: join(top, 'repo'), protect });
      sessions.push(second);
      await stillSealed(
        second.container,
        [hook, rename].map((one) => one.replaceAll('AT', '/workspace')),
      );
      await status();
    }
    // Two guards on the same files would remove each other.
    const records = join(bed.daemon.stateDir, 'protect');
    for (const name of await readdir(records)) {
      const { root, state } = JSON.parse(await readFile(join(records, name), 'utf8')) as {
        readonly root: string;
        readonly state: { readonly entries: readonly { readonly path: string }[] };
      };
      const paths = state.entries.map(({ path }) => join(root, path));
      if (root === feature) assert.ok(paths.includes(join(feature, '.githooks/pre-commit')));
      else
        assert.deepEqual(
          paths.filter((path) => path.startsWith(feature)),
          [],
        );
    }
    await stillSealed(first.container, attacks);
    for (const { container } of sessions) await killSession(bed, container);
    await untilReleased(bed);
    await status();
    const after = await inventory(top);
    const rights = (found: Record<string, string>, path: string) =>
      found[path]?.split(' ').slice(0, 2);
    // Files that git rewrites have the modes of the user who ran it.
    const kept = Object.keys(before).filter(
      (one) => one in after && !/\/(?:index|refs\/heads\/x)$/.test(one),
    );
    for (const path of kept) assert.deepEqual(rights(after, path), rights(before, path), path);
  });
