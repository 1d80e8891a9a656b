// Goal: thousands of submodules and worktrees planted by an agent neither prevent nor slow the next start,
// and the files that the host's git finds there cannot be changed in that session.
// Method: a session plants them in a real repository; the next ones start with the guard on and off, and both are attacked.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CoidBed, makeCoidBed, type SessionOptions } from '../incus/coid-bed.ts';
import {
  type Attack,
  asUser,
  inventory,
  makeRepo,
  outsideOfMounts,
  protect,
  workingAttacks,
} from './protect-bed.ts';
import { commonOf, killAndRelease, makeWorktrees } from './worktree-bed.ts';

const limit = { timeout: 240_000 };
const uid = 1003;
const count = 5000;

/** Each alone would be guarded. */
const plants = (git: string) => `set -e; cd ${git}; mkdir -p modules worktrees
  seq -f modules/p%g/hooks ${count} | xargs mkdir -p
  seq -f worktrees/p%g ${count} | xargs mkdir -p
  for n in $(seq ${count}); do
    echo 'ref: refs/heads/main' > modules/p$n/HEAD; echo '[core]' > modules/p$n/config
    echo ../.. > worktrees/p$n/commondir; echo /tmp/p$n/.git > worktrees/p$n/gitdir
  done`;

/** Each reverts its own effect. */
const attacks = (git: string): Attack[] =>
  [
    ['changes the configuration of one', 'echo "[x]" >> modules/p7/config'],
    ['puts a hook into one', 'echo x > modules/p7/hooks/x && rm modules/p7/hooks/x'],
    ['makes one more', 'mkdir modules/more && rmdir modules/more'],
    ['renames one', 'mv modules/p7 modules/q7 && mv modules/q7 modules/p7'],
    ['renames all of them', 'mv modules modules2 && mv modules2 modules'],
    ['leads a worktree elsewhere', 'echo /tmp >> worktrees/p7/commondir'],
    ['gives a worktree configuration', 'echo "[x]" > worktrees/p7/config.worktree'],
    ['makes one more worktree', 'mkdir worktrees/more && rmdir worktrees/more'],
    ['renames all worktrees', 'mv worktrees w2 && mv w2 worktrees'],
  ].map(([name = '', script = '']) => ({ name, script: `cd ${git} && ${script}` }));

/** For container root, which loses the workspace by them. */
const forRoot = (git: string) => [
  `umount ${git}/modules; echo "[x]" >> ${git}/modules/p7/config`,
  `mount -o remount,rw,bind ${git}/modules; echo "[x]" >> ${git}/modules/p7/config`,
  `unshare -m sh -c 'umount -l ${git}/modules; echo "[x]" >> ${git}/modules/p7/config'`,
];

const detached =
  'exec 9</workspace; umount -l /workspace; cd /proc/self/fd/9 && echo "[x]" >> .git/modules/p7/config';

/** As the agent, from its own user namespace without mounts, with only an open descriptor of the workspace. */
const fromOutside = outsideOfMounts('.git/modules', '.git/m2', '.git/modules/p7/config');

async function plant(bed: CoidBed, options: SessionOptions, git: string): Promise<void> {
  const { container } = await bed.session(options);
  const made = await bed.sh(container, plants(git));
  assert.equal(made.status, 0, made.stderr.toString());
  await killAndRelease(bed, container);
}

/** Duration of a session's reservation, during which the workspace is guarded. */
async function reserveMs(bed: CoidBed, workspace: string): Promise<number> {
  const startMs = performance.now();
  const { id } = await bed.coid.reserve({ ...bed.request(workspace), protect });
  const tookMs = performance.now() - startMs;
  await bed.coid.release(id);
  return tookMs;
}

test(
  'thousands of planted entries do not slow the next start, which reports and keeps them',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const [workspace, library] = [await makeRepo(bed, uid), await makeRepo(bed, uid)];
    const git = (...words: string[]) =>
      asUser(uid, ['git', '-C', workspace, '-c', 'protocol.file.allow=always', ...words]);
    await git('submodule', '--quiet', 'add', library, 'lib');
    const plainMs = await reserveMs(bed, workspace);
    await plant(bed, { workspace, protect }, '/workspace/.git');
    const before = await inventory(workspace);
    const plantedMs = await reserveMs(bed, workspace);
    assert.ok(plantedMs < plainMs + 1000, `${plantedMs} ms, without them ${plainMs} ms`);
    const mounts = [{ name: 'again', source: workspace, readonly: false }];
    const guardedSession = await bed.session({ workspace, mounts, protect });
    const { whole } = guardedSession.mounts.find(({ name }) => name === 'workspace') ?? {};
    const directories = ['worktrees', 'modules'].map((name) => join(workspace, '.git', name));
    assert.deepEqual(whole?.toSorted(), directories.toSorted());
    const tried = [...attacks('/workspace/.git'), ...attacks('/again/.git')];
    for (const user of ['agent', 'root'] as const)
      assert.deepEqual(await workingAttacks(bed, guardedSession.container, tried, user), [], user);
    // Agent and host keep working, also in the real submodule.
    const commit =
      'cd /workspace && git -c user.name=a -c user.email=a@example.invalid commit -q --allow-empty -m x && git -C lib status';
    const inside = await bed.sh(guardedSession.container, commit);
    assert.equal(inside.status, 0, inside.stderr.toString());
    await git('submodule', 'status');
    await git('-C', join(workspace, 'lib'), 'status');
    for (const script of [...forRoot('/workspace/.git'), detached])
      assert.notEqual((await bed.sh(guardedSession.container, script, 'root')).status, 0, script);
    await killAndRelease(bed, guardedSession.container);
    const again = await bed.session({ workspace, protect });
    for (const script of fromOutside)
      assert.equal((await bed.sh(again.container, script)).status, 7, script);
    await killAndRelease(bed, again.container);
    const after = await inventory(workspace);
    for (const name of Object.keys(before).filter((path) =>
      /^\.git\/(?:modules|worktrees)/.test(path),
    ))
      assert.equal(after[name], before[name], name);
    // Control: with the guard off all attacks work.
    const open = await bed.session({ workspace, mounts });
    assert.deepEqual(
      await workingAttacks(bed, open.container, tried, 'agent'),
      tried.map(({ name }) => name),
    );
    for (const script of fromOutside)
      assert.equal((await bed.sh(open.container, script)).status, 0, script);
    assert.equal((await bed.sh(open.container, detached, 'root')).status, 0);
  },
);

test(
  "entries planted in a worktree's repository leave the session's worktree usable and others unchanged",
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const { main, common, feature } = await makeWorktrees(bed, uid);
    const options = { workspace: feature, mounts: [commonOf(common)], protect };
    await plant(bed, options, common);
    const mounts = [commonOf(common), { name: 'main', source: main, readonly: false }];
    const guardedSession = await bed.session({ ...options, mounts });
    const { whole } = guardedSession.mounts.find(({ name }) => name === 'git') ?? {};
    const directories = ['worktrees', 'modules'].map((name) => join(common, name));
    assert.deepEqual(whole?.toSorted(), directories.toSorted());
    const tried = [...attacks(common), ...attacks('/main/.git')];
    for (const user of ['agent', 'root'] as const)
      assert.deepEqual(await workingAttacks(bed, guardedSession.container, tried, user), [], user);
    const commit = `cd ${feature} && git -c user.name=a -c user.email=a@example.invalid commit -q --allow-empty -m x`;
    const inside = await bed.sh(guardedSession.container, commit);
    assert.equal(inside.status, 0, inside.stderr.toString());
    assert.equal(
      (await asUser(uid, ['git', '-C', feature, 'log', '-1', '--format=%s'])).trim(),
      'x',
    );
    await killAndRelease(bed, guardedSession.container);
    const open = await bed.session({ workspace: feature, mounts });
    assert.deepEqual(
      await workingAttacks(bed, open.container, tried, 'agent'),
      tried.map(({ name }) => name),
    );
  },
);
