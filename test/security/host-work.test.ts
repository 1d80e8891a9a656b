// Goal: changes to guarded files by the host user while a session runs are guarded in turn, raise no alert, and
// leave nothing behind.
// Method: one session; on the host git, editors and tools write as usual, but fast.
import assert from 'node:assert/strict';
import { lstatSync } from 'node:fs';
import { chown, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { killContainer } from '../../src/session/lifecycle/end-container.ts';
import { type CoidBed, makeCoidBed, untilEntryGone } from '../incus/coid-bed.ts';
import { asUser, makeRepo, protect, untilGuarded } from './protect-bed.ts';

const limit = { timeout: 180_000 };
const uid = 1003;
let bed: CoidBed;
let workspace: string;
let container: string;
let id: string;

before(async () => {
  bed = await makeCoidBed();
  workspace = await makeRepo(bed, uid);
  await mkdir(join(workspace, '.vscode/deep'));
  await writeFile(join(workspace, '.vscode/deep/one'), 'one\n');
  for (const path of ['.vscode/deep', '.vscode/deep/one'])
    await chown(join(workspace, path), uid, uid);
  ({ container, id } = await bed.session({ workspace, protect }));
});
after(async () => bed?.[Symbol.asyncDispose]());

test(
  "frequent writes of git's configuration on the host raise no alert and stay guarded",
  limit,
  async () => {
    // A file system may reuse the inode number of the file before last.
    const [git, times] = [`git -C ${workspace} config`, '$(seq 1 40)'];
    await asUser(uid, ['sh', '-ec', `for i in ${times}; do ${git} a.b$i $i; ${git} c.d $i; done`]);
    await guardedAndRunning('.git/config');
  },
);

test('a replaced file deep in a guarded directory is guarded again', limit, async () => {
  const path = join(workspace, '.vscode/deep/one');
  await untilGuarded(path);
  await asUser(uid, ['sh', '-c', `echo two > ${path}.new && mv ${path}.new ${path}`]);
  await guardedAndRunning('.vscode/deep/one');
  // Directories that are created now are watched too.
  await asUser(uid, ['mkdir', '-p', `${workspace}/.vscode/later`]);
  await untilGuarded(join(workspace, '.vscode/later'));
  await asUser(uid, ['sh', '-c', `echo x > ${workspace}/.vscode/later/two`]);
  await guardedAndRunning('.vscode/later/two');
});

test("a mode set right after a file's creation stays", limit, async () => {
  const path = `${workspace}/.git/hooks/pre-push`;
  await asUser(uid, ['install', '-m', '751', '/bin/true', path]);
  await guardedAndRunning('.git/hooks/pre-push');
  // Under the guard the group bits are the mask of the ACL.
  assert.equal(lstatSync(path).mode & 0o707, 0o701);
});

test('worktrees made and removed on both sides raise no alert and stay usable', limit, async () => {
  const tree = `${workspace}/tree`;
  const git = (...words: string[]) => asUser(uid, ['git', '-C', workspace, ...words]);
  await git('worktree', 'add', '--quiet', tree);
  await git('config', 'e.f', '1');
  await guardedAndRunning('.git/config');
  await git('worktree', 'remove', tree);
  await git('worktree', 'add', '--quiet', tree, 'tree');
  const made = await bed.sh(container, 'cd /workspace && git worktree add -q /tmp/inside');
  assert.equal(made.status, 0, made.stderr.toString());
  // coid checks everything.
  await git('config', 'e.f', '2');
  await guardedAndRunning('.git/config');
  const worked = await bed.sh(
    container,
    'cd /tmp/inside && echo x > f && git add f && git -c user.name=A -c user.email=a@example.invalid commit -qm x && cd / && git -C /workspace worktree remove --force /tmp/inside',
  );
  assert.equal(worked.status, 0, worked.stderr.toString());
});

test('after the session modes and owners are the original ones', limit, async () => {
  const ref = { name: container, mountsId: id };
  await killContainer(bed.incus, ref, AbortSignal.timeout(60_000));
  await bed.untilUnmounted(id);
  const records = join(bed.daemon.stateDir, 'protect');
  for (const name of await readdir(records)) await untilEntryGone(records, name);
  for (const [path, mode] of Object.entries({
    '.git/config': '644',
    '.git/hooks/pre-push': '751',
    '.vscode/deep/one': '644',
    '.vscode/later/two': '644',
  })) {
    const stats = lstatSync(join(workspace, path));
    const found = [stats.uid, stats.gid, (stats.mode & 0o7777).toString(8)];
    assert.deepEqual(found, [uid, uid, mode], path);
  }
});

async function guardedAndRunning(path: string): Promise<void> {
  await untilGuarded(join(workspace, path));
  const attack = await bed.sh(container, `echo x >> /workspace/${path}`);
  assert.notEqual(attack.status, 0, path);
  assert.equal(await bed.status(container), 'Running');
}
