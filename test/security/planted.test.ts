// Goal: submodules and worktrees that an agent made by the thousand keep the next session neither from starting nor for long,
// and nobody in it changes what the host's git finds there.
// Method: a session makes them in a real repository; the next ones begin with the guard on and off, and both are attacked.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CoidBed, coidBed, type SessionOptions } from '../incus/coid-bed.ts';
import {
  type Attack,
  asUser,
  inventory,
  outsideOfMounts,
  protect,
  repository,
  worked,
} from './protect-bed.ts';
import { commonOf, ended, worktrees } from './worktree-bed.ts';

const limit = { timeout: 240_000 };
const uid = 1003;
const count = 5000;

/** Each by itself is one that would be guarded. */
const plants = (git: string) => `set -e; cd ${git}; mkdir -p modules worktrees
  seq -f modules/p%g/hooks ${count} | xargs mkdir -p
  seq -f worktrees/p%g ${count} | xargs mkdir -p
  for n in $(seq ${count}); do
    echo 'ref: refs/heads/main' > modules/p$n/HEAD; echo '[core]' > modules/p$n/config
    echo ../.. > worktrees/p$n/commondir; echo /tmp/p$n/.git > worktrees/p$n/gitdir
  done`;

/** Each takes its own effect back. */
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

/** For the container's root, which loses the workspace by them. */
const forRoot = (git: string) => [
  `umount ${git}/modules; echo "[x]" >> ${git}/modules/p7/config`,
  `mount -o remount,rw,bind ${git}/modules; echo "[x]" >> ${git}/modules/p7/config`,
  `unshare -m sh -c 'umount -l ${git}/modules; echo "[x]" >> ${git}/modules/p7/config'`,
];

const detached =
  'exec 9</workspace; umount -l /workspace; cd /proc/self/fd/9 && echo "[x]" >> .git/modules/p7/config';

/** As the agent, from a user namespace of its own that has no mount left but a held descriptor of the workspace. */
const fromOutside = outsideOfMounts('.git/modules', '.git/m2', '.git/modules/p7/config');

async function plant(bed: CoidBed, options: SessionOptions, git: string): Promise<void> {
  const { container } = await bed.session(options);
  const made = await bed.sh(container, plants(git));
  assert.equal(made.status, 0, made.stderr.toString());
  await ended(bed, container);
}

/** What the reservation of a session takes, which is where the workspace is guarded. */
async function reserveMs(bed: CoidBed, workspace: string): Promise<number> {
  const startMs = performance.now();
  const { id } = await bed.coid.reserve({ ...bed.request(workspace), protect });
  const tookMs = performance.now() - startMs;
  await bed.coid.release(id);
  return tookMs;
}

test(
  'planted by the thousand: the next session starts as soon, says what it holds, and changes none of it',
  limit,
  async () => {
    await using bed = await coidBed();
    const [workspace, library] = [await repository(bed, uid), await repository(bed, uid)];
    const git = (...words: string[]) =>
      asUser(uid, ['git', '-C', workspace, '-c', 'protocol.file.allow=always', ...words]);
    await git('submodule', '--quiet', 'add', library, 'lib');
    const plainMs = await reserveMs(bed, workspace);
    await plant(bed, { workspace, protect }, '/workspace/.git');
    const before = await inventory(workspace);
    const plantedMs = await reserveMs(bed, workspace);
    assert.ok(plantedMs < plainMs + 1000, `${plantedMs} ms, without them ${plainMs} ms`);
    const mounts = [{ name: 'again', source: workspace, readonly: false }];
    const held = await bed.session({ workspace, mounts, protect });
    const { whole } = held.mounts.find(({ name }) => name === 'workspace') ?? {};
    const directories = ['worktrees', 'modules'].map((name) => join(workspace, '.git', name));
    assert.deepEqual(whole?.toSorted(), directories.toSorted());
    const tried = [...attacks('/workspace/.git'), ...attacks('/again/.git')];
    for (const user of ['agent', 'root'] as const)
      assert.deepEqual(await worked(bed, held.container, tried, user), [], user);
    // The agent works on, and so does the host, also in the real submodule.
    const commit =
      'cd /workspace && git -c user.name=a -c user.email=a@example.invalid commit -q --allow-empty -m x && git -C lib status';
    const inside = await bed.sh(held.container, commit);
    assert.equal(inside.status, 0, inside.stderr.toString());
    await git('submodule', 'status');
    await git('-C', join(workspace, 'lib'), 'status');
    for (const script of [...forRoot('/workspace/.git'), detached])
      assert.notEqual((await bed.sh(held.container, script, 'root')).status, 0, script);
    await ended(bed, held.container);
    const again = await bed.session({ workspace, protect });
    for (const script of fromOutside)
      assert.equal((await bed.sh(again.container, script)).status, 7, script);
    await ended(bed, again.container);
    const after = await inventory(workspace);
    for (const name of Object.keys(before).filter((path) =>
      /^\.git\/(?:modules|worktrees)/.test(path),
    ))
      assert.equal(after[name], before[name], name);
    // The control: with the guard off all of it works.
    const open = await bed.session({ workspace, mounts });
    assert.deepEqual(
      await worked(bed, open.container, tried, 'agent'),
      tried.map(({ name }) => name),
    );
    for (const script of fromOutside)
      assert.equal((await bed.sh(open.container, script)).status, 0, script);
    assert.equal((await bed.sh(open.container, detached, 'root')).status, 0);
  },
);

test(
  'planted in the repository of a worktree: work goes on in the worktree of the session, and the others stay as they are',
  limit,
  async () => {
    await using bed = await coidBed();
    const { main, common, feature } = await worktrees(bed, uid);
    const options = { workspace: feature, mounts: [commonOf(common)], protect };
    await plant(bed, options, common);
    const mounts = [commonOf(common), { name: 'main', source: main, readonly: false }];
    const held = await bed.session({ ...options, mounts });
    const { whole } = held.mounts.find(({ name }) => name === 'git') ?? {};
    const directories = ['worktrees', 'modules'].map((name) => join(common, name));
    assert.deepEqual(whole?.toSorted(), directories.toSorted());
    const tried = [...attacks(common), ...attacks('/main/.git')];
    for (const user of ['agent', 'root'] as const)
      assert.deepEqual(await worked(bed, held.container, tried, user), [], user);
    const commit = `cd ${feature} && git -c user.name=a -c user.email=a@example.invalid commit -q --allow-empty -m x`;
    const inside = await bed.sh(held.container, commit);
    assert.equal(inside.status, 0, inside.stderr.toString());
    assert.equal(
      (await asUser(uid, ['git', '-C', feature, 'log', '-1', '--format=%s'])).trim(),
      'x',
    );
    await ended(bed, held.container);
    const open = await bed.session({ workspace: feature, mounts });
    assert.deepEqual(
      await worked(bed, open.container, tried, 'agent'),
      tried.map(({ name }) => name),
    );
  },
);
