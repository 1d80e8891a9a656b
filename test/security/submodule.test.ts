// Goal: an agent can work in its workspace's submodules (commits, branches, fetches, updates), but cannot change anything in
// them that the host's git runs or obeys.
// Method: a real repository with a submodule in a submodule; the attacks in pairs, with the guard off and on; git on the
// host during and after the session.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CoidBed, makeCoidBed } from '../incus/coid-bed.ts';
import { asUser, makeRepo, protect } from './protect-bed.ts';
import { killAndRelease } from './worktree-bed.ts';

const limit = { timeout: 240_000 };
const uid = 1003;
const identity = ['-c', 'user.name=A', '-c', 'user.email=a@example.invalid'];
const local = ['-c', 'protocol.file.allow=always'];

async function withSubmodules(bed: CoidBed) {
  const [inner, library, workspace] = [
    await makeRepo(bed, uid),
    await makeRepo(bed, uid),
    await makeRepo(bed, uid),
  ];
  const git = (...words: string[]) =>
    asUser(uid, ['git', '-C', workspace, ...local, ...identity, ...words]);
  await git('-C', library, 'submodule', '--quiet', 'add', inner, 'deep');
  await git('-C', library, 'commit', '--quiet', '-m', 'deep');
  await git('submodule', '--quiet', 'add', library, 'lib');
  await git('commit', '--quiet', '-m', 'lib');
  await git('submodule', '--quiet', 'update', '--init', '--recursive');
  return { workspace, git };
}

const setUp = `export HOME=/tmp/home; mkdir -p $HOME; git config --global user.name A; git config --global user.email a@b
git config --global protocol.file.allow always; git config --global repack.updateServerInfo false; git config --global --add safe.directory '*'`;

const work = `set -e; ${setUp}; cd /workspace/lib
git checkout -q -b topic; echo x > new; git add new; git commit -q -m inside
git commit -q --amend -m amended; git stash list; git tag one; git reset -q --soft HEAD~1; git commit -q -m again
git checkout -q --detach; git switch -q topic; git gc -q; git fsck 2>/dev/null
git rebase -q HEAD~1; git status --porcelain
cd ..; git add lib; git commit -q -m up; git submodule status; git -C lib checkout -q HEAD~1; git submodule summary >/dev/null
git -C lib checkout -q topic
git submodule foreach --quiet 'git rev-parse --show-toplevel'`;

test(
  'work in a submodule is possible inside, and on the host meanwhile and afterwards',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const { workspace, git } = await withSubmodules(bed);
    const module = join(workspace, '.git/modules/lib');
    const before = await readdir(module);
    const { container } = await bed.session({ workspace, protect });
    const worked = await bed.sh(container, work);
    assert.equal(worked.status, 0, worked.stderr.toString() + worked.stdout.toString());
    // It tries to rewrite the checkout's path into the guarded configuration each time; the agent's context names the alternative.
    const update = await bed.sh(container, `${setUp}; cd /workspace && git submodule update lib`);
    assert.match(update.stderr.toString(), /could not set 'core.worktree'/);
    const fetch = `set -e; ${setUp}; git clone -q /workspace/lib /tmp/r && git -C /tmp/r commit -q --allow-empty -m r
cd /workspace/lib && git fetch -q /tmp/r && git log -1 --format=%s FETCH_HEAD`;
    const fetched = await bed.sh(container, fetch);
    assert.equal(fetched.status, 0, fetched.stderr.toString());
    // The host, meanwhile.
    assert.equal(await git('-C', join(workspace, 'lib'), 'log', '-1', '--format=%s'), 'again\n');
    assert.equal(await git('status', '--porcelain', '-uno'), '');
    await git('-C', join(workspace, 'lib'), 'config', 'x.y', 'z');
    await git('-C', join(workspace, 'lib'), 'commit', '--quiet', '--allow-empty', '-m', 'host');
    await git('submodule', 'update', '--init', '--recursive');
    const after = await bed.sh(
      container,
      `${setUp}; cd /workspace/lib && git log -1 && git commit -q --allow-empty -m z`,
    );
    assert.equal(after.status, 0, after.stderr.toString());
    await killAndRelease(bed, container);
    // Files that git made may be there, but none of coi's.
    for (const name of ['commondir', 'config.worktree'])
      assert.ok(!(await readdir(module)).includes(name), name);
    assert.ok(before.every((name) => name !== 'commondir'));
    await git('-C', join(workspace, 'lib'), 'fsck');
  },
);

/** Each reverts its own effect. */
const attacks = (module: string) => [
  `cp ${module}/config /tmp/c && echo "[x]" >> ${module}/config && cat /tmp/c > ${module}/config`,
  `cp -p ${module}/config /tmp/c && cp /tmp/c ${module}/c && mv -f ${module}/c ${module}/config`,
  `echo x > ${module}/hooks/pre-commit && rm ${module}/hooks/pre-commit`,
  `mv ${module}/hooks ${module}/h2 && mv ${module}/h2 ${module}/hooks`,
  `echo /tmp > ${module}/commondir && rm ${module}/commondir`,
  `rm -f ${module}/commondir && echo /tmp > ${module}/commondir && rm ${module}/commondir`,
  `echo "[x]" > ${module}/config.worktree && rm ${module}/config.worktree`,
  `echo "* filter=x" > ${module}/info/attributes && rm ${module}/info/attributes`,
  `mv ${module}/info ${module}/i2 && mv ${module}/i2 ${module}/info`,
  `mv ${module} ${module}2 && mv ${module}2 ${module}`,
];

test(
  'files that host git obeys in a submodule cannot be changed; without the guard they can',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const [guarded, open] = [await withSubmodules(bed), await withSubmodules(bed)];
    const guardedSession = await bed.session({ workspace: guarded.workspace, protect });
    const control = await bed.session({ workspace: open.workspace });
    const config = () => asUser(uid, ['cat', join(guarded.workspace, '.git/modules/lib/config')]);
    const before = await config();
    // The nested one is not named by the top repository's configuration, but by its submodule's.
    for (const script of ['.git/modules/lib', '.git/modules/lib/modules/deep'].flatMap(attacks))
      for (const user of ['agent', 'root'] as const) {
        const done = await bed.sh(control.container, `cd /workspace; ${script}`, user);
        assert.equal(done.status, 0, `the control, ${user}: ${script}: ${done.stderr.toString()}`);
        const refused = await bed.sh(guardedSession.container, `cd /workspace; ${script}`, user);
        assert.notEqual(refused.status, 0, `${user}: ${script}`);
      }
    assert.equal(await config(), before);
    await guarded.git('-C', join(guarded.workspace, 'lib'), 'commit', '--allow-empty', '-m', 'x');
  },
);
