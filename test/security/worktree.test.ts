// Goal: git works in a linked worktree, whose repository lies outside of the workspace; the agent gets nothing else of
// that repository, and cannot change there what the host's git runs or obeys.
// Method: every attack twice, in a real container: it works with the guard off, and is refused with it on.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
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
  'sessions in two worktrees and in the main checkout have one guard, which stays until the last has ended',
  limit,
  async () => {
    await using bed = await coidBed();
    const { main, common, feature, other } = await worktrees(bed, uid);
    const before = await inventory(join(main, '..'));
    const sessions = [
      await bed.session({ workspace: feature, mounts: [commonOf(common)], protect }),
      await bed.session({ workspace: main, protect }),
      await bed.session({ workspace: other, mounts: [commonOf(common, 'other')], protect }),
    ];
    const places = [main, '/workspace', main];
    const attack = 'cd AT/.git && echo x >> config && echo x > hooks/pre-commit';
    for (const [index, { container }] of sessions.entries()) {
      for (const [nth, one] of sessions.entries()) {
        if (nth < index) continue;
        const script = attack.replace('AT', places[nth] ?? '');
        assert.notEqual((await bed.sh(one.container, script, 'root')).status, 0, `${index} ${nth}`);
      }
      await killed(bed, container);
      await bed.untilUnmounted(sessions[index]?.id ?? '');
    }
    await released(bed);
    assert.deepEqual(await inventory(join(main, '..')), before);
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
  'a container that stops and starts has the guarded directory again, also after a coid that was killed',
  limit,
  async () => {
    await using bed = await coidBed();
    const { common, feature } = await worktrees(bed, uid);
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
    await ended(bed, container);
  },
);

test(
  'a worktree that an agent made goes on working when another session begins beside it',
  limit,
  async () => {
    await using bed = await coidBed();
    const { main, common, feature } = await worktrees(bed, uid);
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
    // One that the host made meanwhile works in a session of its own.
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
  'of a hundred worktrees each is guarded, and the directory of each can be worked in',
  limit,
  async () => {
    await using bed = await coidBed();
    const { main } = await worktrees(bed, uid);
    const count = 100;
    const script = `for i in $(seq ${count}); do git -C ${main} worktree add -q ../w$i; done`;
    await asUser(uid, ['sh', '-c', script]);
    const { container } = await bed.session({ workspace: main, protect });
    const each = (command: string) =>
      `cd /workspace/.git/worktrees && n=0; for w in *; do (cd $w && ${command}) 2>/dev/null && n=$((n+1)); done; echo $n`;
    const done = async (command: string) =>
      Number((await bed.sh(container, each(command))).stdout.toString());
    assert.equal(await done('echo x > config.worktree'), 0);
    assert.equal(await done('echo x > commondir'), 0);
    assert.equal(await done('mv gitdir g'), 0);
    assert.equal(await done('touch index.lock && rm index.lock'), count + 2);
  },
);

async function ended(bed: CoidBed, container: string): Promise<void> {
  await killed(bed, container);
  await released(bed);
}

async function killed(bed: CoidBed, container: string): Promise<void> {
  const stored = await bed.incus.instance(container);
  assert.ok(stored);
  await killContainer(bed.incus, refOf(stored.instance), AbortSignal.timeout(60_000));
}

/** Nothing is guarded any more. */
async function released({ daemon }: CoidBed): Promise<void> {
  const directory = join(daemon.stateDir, 'protect');
  for (const name of await readdir(directory)) await untilGone(directory, name);
}
