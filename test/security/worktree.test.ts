// Goal: git works in a linked worktree, whose repository lies outside of the workspace; the agent gets nothing else of
// that repository, and cannot change there what the host's git runs or obeys.
// Method: every attack twice, in a real container: it works with the guard off, and is refused with it on.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { refOf } from '../../src/session/container-ref.ts';
import { killContainer } from '../../src/session/remove.ts';
import { type CoidBed, coidBed, untilGone } from '../incus/coid-bed.ts';
import { asUser, inventory, protect } from './protect-bed.ts';
import { commonAttacks, commonOf, holderOf, linkAttacks, worktrees } from './worktree-bed.ts';

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

async function ended(bed: CoidBed, container: string): Promise<void> {
  const stored = await bed.incus.instance(container);
  assert.ok(stored);
  await killContainer(bed.incus, refOf(stored.instance), AbortSignal.timeout(60_000));
  await released(bed);
}

/** Nothing is guarded any more. */
async function released({ daemon }: CoidBed): Promise<void> {
  const directory = join(daemon.stateDir, 'protect');
  for (const name of await readdir(directory)) await untilGone(directory, name);
}
