// Goal: git works in a linked worktree, whose repository lies outside the workspace; the agent gets no other access to
// that repository, and cannot change anything there that the host's git runs or obeys.
// Method: every attack twice in a real container: it works with the guard off, and fails with it on.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeCoidBed } from '../incus/coid-bed.ts';
import { asUser, inventory, protect } from './protect-bed.ts';
import {
  commonAttacks,
  commonOf,
  containingDirectory,
  killAndRelease,
  linkAttacks,
  makeWorktrees,
} from './worktree-bed.ts';

const limit = { timeout: 180_000 };
const uid = 1003;

test(
  "attacks on a worktree's repository work without the guard and fail with it, for agent and root",
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const bare = await makeWorktrees(bed, uid);
    const open = await bed.session({ workspace: bare.feature, mounts: [commonOf(bare.common)] });
    const tree = await makeWorktrees(bed, uid);
    const before = await inventory(containingDirectory(tree));
    const guarded = await bed.session({
      workspace: tree.feature,
      mounts: [commonOf(tree.common)],
      protect,
    });
    const checkouts = [
      { of: commonAttacks, at: containingDirectory },
      { of: linkAttacks, at: ({ feature }: typeof tree) => feature },
    ];
    for (const { of, at } of checkouts)
      for (const { name, script } of of) {
        const done = await bed.sh(open.container, `cd ${at(bare)}; ${script}`);
        assert.equal(done.status, 0, `${name}, guard off: ${done.stderr}`);
        for (const user of ['agent', 'root'] as const) {
          const withGuard = await bed.sh(guarded.container, `cd ${at(tree)}; ${script}`, user);
          assert.notEqual(withGuard.status, 0, `${name}, guard on, ${user}`);
        }
      }
    const tidied = await bed.sh(
      guarded.container,
      `cd ${tree.common} && rm -f new worktrees/*/new linked`,
    );
    assert.equal(tidied.status, 0, tidied.stderr.toString());
    await killAndRelease(bed, guarded.container);
    assert.deepEqual(await inventory(containingDirectory(tree)), before);
  },
);

test(
  'git works in the worktree and later on the host, and no main checkout is inside',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const { main, common, feature } = await makeWorktrees(bed, uid);
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
    await killAndRelease(bed, container);
    const host = (...words: string[]) => asUser(uid, ['git', '-C', feature, ...words]);
    assert.equal((await host('log', '--format=%s', 'feature')).split('\n')[0], 'inside');
    assert.equal((await host('log', '--format=%s', 'side')).split('\n')[0], 'more');
    assert.equal(await host('status', '--porcelain'), '');
    assert.doesNotMatch(await host('worktree', 'list'), /prunable/);
    await host('fsck', '--strict');
  },
);

test(
  "git works when the worktree's .git file is older than a day and git renews it",
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const { common, feature } = await makeWorktrees(bed, uid);
    await asUser(uid, ['touch', '-d', '3 days ago', `${common}/worktrees/feature/gitdir`]);
    const session = { workspace: feature, mounts: [commonOf(common)], protect };
    const { container } = await bed.session(session);
    const done = await bed.sh(container, `cd ${feature} && git status --porcelain`);
    assert.equal(done.status, 0, done.stderr.toString());
  },
);

test(
  'a .git file that a project ships opens no repository that does not know it',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const { common, feature, other, main } = await makeWorktrees(bed, uid);
    const brought = await bed.directory(uid);
    const write = (path: string, text: string) =>
      asUser(uid, ['sh', '-c', 'printf "%s\\n" "$2" > "$1"', 'sh', path, text]);
    const refused = async (workspace: string, source: string, worktree = 'feature') =>
      assert.rejects(bed.coid.reserve(bed.request(workspace, [commonOf(source, worktree)])), {
        code: 'mount-invalid',
      });
    await write(`${brought}/.git`, `gitdir: ${common}/worktrees/feature`);
    await refused(brought, common);
    // Nor one that names another directory, or that it does not name itself.
    await refused(other, common);
    await refused(other, `${main}/.git/worktrees/other`, 'other');
    await refused(main, common);
    await asUser(uid, ['ln', '-s', common, `${brought}/link`]);
    await write(`${feature}/.git`, `gitdir: ${brought}/link/worktrees/feature`);
    await refused(feature, `${brought}/link`);
    // Control: the same with git's own entries.
    await write(`${feature}/.git`, `gitdir: ${common}/worktrees/feature`);
    const { id } = await bed.coid.reserve(bed.request(feature, [commonOf(common)]));
    await bed.coid.release(id);
  },
);

test(
  "hooks that the repository's configuration names are guarded in the worktree",
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const { main, common, feature } = await makeWorktrees(bed, uid);
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
  'no second mount lets the agent move the repository away; without the guard it can',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const { main, common, feature } = await makeWorktrees(bed, uid);
    const top = join(main, '..');
    const mounts = [commonOf(common), { name: 'around', source: top, readonly: false }];
    const apart = await bed.directory(uid);
    await asUser(uid, ['git', '-C', main, 'worktree', 'move', feature, `${apart}/feature`]);
    const workspace = `${apart}/feature`;
    const open = await bed.session({ workspace, mounts });
    const moves = 'cd /around && mv repo r && mkdir repo && rmdir repo && mv r repo';
    assert.equal((await bed.sh(open.container, moves)).status, 0);
    await assert.rejects(bed.session({ workspace, mounts, protect }), { code: 'unprotected-path' });
    // The main checkout itself may be mounted: git's directory cannot be moved in it.
    const checkout = { name: 'checkout', source: main, readonly: false };
    const guarded = await bed.session({ workspace, mounts: [commonOf(common), checkout], protect });
    const replaced = 'cd /checkout && mv .git g && mv g .git';
    assert.notEqual((await bed.sh(guarded.container, replaced, 'root')).status, 0);
    assert.equal((await bed.sh(guarded.container, 'echo x > /checkout/new')).status, 0);
  },
);

test(
  "writable paths apply in a worktree's repository and in its main checkout",
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const { main, common, feature } = await makeWorktrees(bed, uid);
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
    // The strictest request of those that share it applies.
    await bed.session({ workspace: feature, mounts, protect: may(true) });
    assert.notEqual((await bed.sh(inWorktree.container, hook)).status, 0);
  },
);
