// Goal: git works in a linked worktree, whose repository lies outside of the workspace; the agent gets nothing else of
// that repository, and cannot change there what the host's git runs or obeys.
// Method: every attack twice, in a real container: it works with the guard off, and is refused with it on.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { coidBed } from '../incus/coid-bed.ts';
import { asUser, inventory, protect } from './protect-bed.ts';
import {
  commonAttacks,
  commonOf,
  ended,
  holderOf,
  linkAttacks,
  worktrees,
} from './worktree-bed.ts';

const limit = { timeout: 180_000 };
const uid = 1003;

test(
  'what an agent in a worktree does to the repository works without the guard and is refused with it, to the agent and to root',
  limit,
  async () => {
    await using bed = await coidBed();
    const bare = await worktrees(bed, uid);
    const open = await bed.session({ workspace: bare.feature, mounts: [commonOf(bare.common)] });
    const tree = await worktrees(bed, uid);
    const before = await inventory(holderOf(tree));
    const guarded = await bed.session({
      workspace: tree.feature,
      mounts: [commonOf(tree.common)],
      protect,
    });
    const places = [
      { of: commonAttacks, at: holderOf },
      { of: linkAttacks, at: ({ feature }: typeof tree) => feature },
    ];
    for (const { of, at } of places)
      for (const { name, script } of of) {
        const done = await bed.sh(open.container, `cd ${at(bare)}; ${script}`);
        assert.equal(done.status, 0, `${name}, guard off: ${done.stderr}`);
        for (const user of ['agent', 'root'] as const) {
          const held = await bed.sh(guarded.container, `cd ${at(tree)}; ${script}`, user);
          assert.notEqual(held.status, 0, `${name}, guard on, ${user}`);
        }
      }
    const tidied = await bed.sh(
      guarded.container,
      `cd ${tree.common} && rm -f new worktrees/*/new linked`,
    );
    assert.equal(tidied.status, 0, tidied.stderr.toString());
    await ended(bed, guarded.container);
    assert.deepEqual(await inventory(holderOf(tree)), before);
  },
);

test(
  'git works in the worktree, and on the host afterwards; nothing of the main checkout is there',
  limit,
  async () => {
    await using bed = await coidBed();
    const { main, common, feature } = await worktrees(bed, uid);
    await asUser(uid, ['touch', `${main}/.env`]);
    const session = { workspace: feature, mounts: [commonOf(common)], protect };
    const { container } = await bed.session(session);
    const git = `cd ${feature} && git -c user.name=a -c user.email=a@example.invalid`;
    for (const command of [
      'status --porcelain',
      'commit --quiet --allow-empty -m inside',
      'branch side',
      'switch --quiet side',
      'commit --quiet --allow-empty -m more',
      'switch --quiet feature',
      'gc --quiet',
      'worktree list',
      'fsck',
    ]) {
      const done = await bed.sh(container, `${git} ${command}`);
      assert.equal(done.status, 0, `${command}: ${done.stderr}`);
    }
    const seen = await bed.sh(container, `ls -A ${main}`, 'root');
    assert.equal(seen.stdout.toString().trim(), '.git');
    await ended(bed, container);
    const host = (...words: string[]) => asUser(uid, ['git', '-C', feature, ...words]);
    assert.equal((await host('log', '--format=%s', 'feature')).split('\n')[0], 'inside');
    assert.equal((await host('log', '--format=%s', 'side')).split('\n')[0], 'more');
    assert.equal(await host('status', '--porcelain'), '');
    assert.doesNotMatch(await host('worktree', 'list'), /prunable/);
    await host('fsck', '--strict');
  },
);

test(
  'git works where the file that names the worktree is older than a day: git wants to renew it then',
  limit,
  async () => {
    await using bed = await coidBed();
    const { common, feature } = await worktrees(bed, uid);
    await asUser(uid, ['touch', '-d', '3 days ago', `${common}/worktrees/feature/gitdir`]);
    const session = { workspace: feature, mounts: [commonOf(common)], protect };
    const { container } = await bed.session(session);
    const done = await bed.sh(container, `cd ${feature} && git status --porcelain`);
    assert.equal(done.status, 0, done.stderr.toString());
  },
);

test(
  'a file .git that a project brings along opens no repository that does not know it',
  limit,
  async () => {
    await using bed = await coidBed();
    const { common, feature, other, main } = await worktrees(bed, uid);
    const brought = await bed.directory(uid);
    const write = (path: string, text: string) =>
      asUser(uid, ['sh', '-c', 'printf "%s\\n" "$2" > "$1"', 'sh', path, text]);
    const refused = async (workspace: string, source: string, worktree = 'feature') =>
      assert.rejects(bed.coid.reserve(bed.request(workspace, [commonOf(source, worktree)])), {
        code: 'mount-invalid',
      });
    await write(`${brought}/.git`, `gitdir: ${common}/worktrees/feature`);
    await refused(brought, common);
    // Nor one that knows another directory, or none that it names itself.
    await refused(other, common);
    await refused(other, `${main}/.git/worktrees/other`, 'other');
    await refused(main, common);
    await asUser(uid, ['ln', '-s', common, `${brought}/link`]);
    await write(`${feature}/.git`, `gitdir: ${brought}/link/worktrees/feature`);
    await refused(feature, `${brought}/link`);
    // The control: the same with what git wrote.
    await write(`${feature}/.git`, `gitdir: ${common}/worktrees/feature`);
    const { id } = await bed.coid.reserve(bed.request(feature, [commonOf(common)]));
    await bed.coid.release(id);
  },
);

test(
  'hooks in the worktree that the configuration of its repository names are guarded in it',
  limit,
  async () => {
    await using bed = await coidBed();
    const { main, common, feature } = await worktrees(bed, uid);
    await asUser(uid, ['git', '-C', main, 'config', 'core.hooksPath', '.githooks']);
    await asUser(uid, ['mkdir', `${feature}/.githooks`]);
    const mounts = [commonOf(common)];
    const script = `cd ${feature} && echo x > .githooks/pre-commit`;
    const open = await bed.session({ workspace: feature, mounts });
    assert.equal((await bed.sh(open.container, script)).status, 0);
    const guarded = await bed.session({ workspace: feature, mounts, protect });
    assert.notEqual((await bed.sh(guarded.container, script, 'root')).status, 0);
  },
);

test(
  'no second mount lets the agent move the repository away: without the guard it does',
  limit,
  async () => {
    await using bed = await coidBed();
    const { main, common, feature } = await worktrees(bed, uid);
    const top = join(main, '..');
    const mounts = [commonOf(common), { name: 'around', source: top, readonly: false }];
    const apart = await bed.directory(uid);
    await asUser(uid, ['git', '-C', main, 'worktree', 'move', feature, `${apart}/feature`]);
    const workspace = `${apart}/feature`;
    const open = await bed.session({ workspace, mounts });
    const moves = 'cd /around && mv repo r && mkdir repo && rmdir repo && mv r repo';
    assert.equal((await bed.sh(open.container, moves)).status, 0);
    await assert.rejects(bed.session({ workspace, mounts, protect }), { code: 'unprotected-path' });
    // The main checkout itself may be there: git's directory cannot be moved in it.
    const checkout = { name: 'checkout', source: main, readonly: false };
    const guarded = await bed.session({ workspace, mounts: [commonOf(common), checkout], protect });
    const replaced = 'cd /checkout && mv .git g && mv g .git';
    assert.notEqual((await bed.sh(guarded.container, replaced, 'root')).status, 0);
    assert.equal((await bed.sh(guarded.container, 'echo x > /checkout/new')).status, 0);
  },
);

test(
  'what the user lets the agent write holds in the repository of a worktree, and in the main checkout beside it',
  limit,
  async () => {
    await using bed = await coidBed();
    const { main, common, feature } = await worktrees(bed, uid);
    const script = `mkdir ${main}/.githooks; cd ${main}; git config core.hooksPath ${common}/hooks; git config diff.external .githooks/x; echo true > .githooks/x`;
    await asUser(uid, ['sh', '-ec', script]);
    const may = (strict: boolean) => ({
      paths: protect.paths.filter((path) => strict || path !== '.git/hooks'),
      mode: 'guard' as const,
      ...(strict ? {} : { writable: ['.git/hooks', '.githooks'] }),
    });
    const mounts = [commonOf(common)];
    const hook = `echo true > ${common}/hooks/pre-push`;
    const [inWorktree, inMain] = [
      await bed.session({ workspace: feature, mounts, protect: may(false) }),
      await bed.session({ workspace: main, protect: may(false) }),
    ];
    assert.equal((await bed.sh(inWorktree.container, hook)).status, 0);
    const own = 'cd /workspace && echo true > .githooks/x && echo true > .git/hooks/pre-push';
    assert.equal((await bed.sh(inMain.container, own)).status, 0);
    // The strictest of those that share it counts.
    await bed.session({ workspace: feature, mounts, protect: may(true) });
    assert.notEqual((await bed.sh(inWorktree.container, hook)).status, 0);
  },
);
