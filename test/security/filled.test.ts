// Goal: a protected directory that was missing, and that an agent created and filled, neither prevents nor slows the next
// start, and its contents cannot be changed in that session.
// Method: a session fills it in a real workspace; the next ones start with the guard on and off, and both are attacked.
import assert from 'node:assert/strict';
import { chown, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CoidBed, makeCoidBed } from '../incus/coid-bed.ts';
import {
  type Attack,
  asUser,
  makeRepo,
  outsideOfMounts,
  protect,
  workingAttacks,
} from './protect-bed.ts';
import { killAndRelease, killSession } from './worktree-bed.ts';

const limit = { timeout: 240_000 };
const uid = 1003;

/** Above the limit for individual guards, partly deeper than the check goes. */
const fill = `set -e; mkdir -p /workspace/.husky/_ && cd /workspace/.husky
  seq -f f%g 20000 | xargs touch; echo true > pre-commit; mkdir -p ${'d/'.repeat(20)}`;

/** Each reverts its own effect. */
const attacks = (top: string): Attack[] =>
  [
    ['changes a hook', 'echo "# x" >> pre-commit'],
    ['replaces a hook', 'cp pre-commit p2 && mv p2 pre-commit'],
    ['makes a hook', 'echo x > _/more && rm _/more'],
    ['removes and makes it anew', 'mv f7 g7 && mv g7 f7'],
    ['changes a mode', 'chmod 755 pre-commit && chmod 644 pre-commit'],
    ['links to a hook', 'ln pre-commit ../linked && rm ../linked'],
    ['renames the directory', 'cd .. && mv .husky h2 && mv h2 .husky'],
    ['renames what is below', 'mv _ x && mv x _'],
  ].map(([name = '', script = '']) => ({ name, script: `cd ${top}/.husky && ${script}` }));

const forRoot = [
  'umount /workspace/.husky; echo x >> /workspace/.husky/pre-commit',
  'mount -o remount,rw,bind /workspace/.husky; echo x >> /workspace/.husky/pre-commit',
  'exec 9</workspace; umount -l /workspace; cd /proc/self/fd/9 && echo x >> .husky/pre-commit',
];

/** As the agent, from its own user namespace without mounts, with only an open descriptor of the workspace. */
const fromOutside = outsideOfMounts('.husky', '.h2', '.husky/pre-commit');

async function reserveMs(bed: CoidBed, workspace: string): Promise<number> {
  const startMs = performance.now();
  const { id } = await bed.coid.reserve({ ...bed.request(workspace), protect });
  const tookMs = performance.now() - startMs;
  await bed.coid.release(id);
  return tookMs;
}

test(
  'a protected directory that an agent filled is read-only as a whole in the next session',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const workspace = await makeRepo(bed, uid);
    const first = await bed.session({ workspace, protect });
    const emptyMs = await reserveMs(bed, workspace);
    const filled = await bed.sh(first.container, fill);
    assert.equal(filled.status, 0, filled.stderr.toString());
    await killAndRelease(bed, first.container);
    const filledMs = await reserveMs(bed, workspace);
    assert.ok(filledMs < emptyMs + 1000, `${filledMs} ms, without it ${emptyMs} ms`);

    const mounts = [{ name: 'again', source: workspace, readonly: false }];
    const guardedSession = await bed.session({ workspace, mounts, protect });
    const { whole } = guardedSession.mounts.find(({ name }) => name === 'workspace') ?? {};
    assert.deepEqual(whole, [join(workspace, '.husky')]);
    const tried = [...attacks('/workspace'), ...attacks('/again')];
    for (const user of ['agent', 'root'] as const)
      assert.deepEqual(await workingAttacks(bed, guardedSession.container, tried, user), [], user);
    // All else is guarded as before, and can be used.
    assert.notEqual(
      (await bed.sh(guardedSession.container, 'echo x >> /workspace/.vscode/tasks.json')).status,
      0,
    );
    assert.equal((await bed.sh(guardedSession.container, 'echo x > /workspace/made')).status, 0);
    // A second session of the workspace seals it too.
    const second = await bed.session({ workspace, protect });
    assert.deepEqual(
      await workingAttacks(bed, second.container, attacks('/workspace'), 'agent'),
      [],
    );
    await killSession(bed, second.container);
    // The host user works in it.
    await asUser(uid, ['sh', '-c', `echo '# host' >> ${workspace}/.husky/pre-commit`]);
    await asUser(uid, ['sh', '-c', `echo new > ${workspace}/.husky/of-host`]);
    assert.notEqual(
      (await bed.sh(guardedSession.container, 'echo x >> /workspace/.husky/of-host')).status,
      0,
    );
    for (const script of forRoot)
      assert.notEqual((await bed.sh(guardedSession.container, script, 'root')).status, 0, script);
    await killAndRelease(bed, guardedSession.container);
    const again = await bed.session({ workspace, protect });
    for (const script of fromOutside)
      assert.equal((await bed.sh(again.container, script)).status, 7, script);
    await killAndRelease(bed, again.container);
    assert.equal(await readFile(join(workspace, '.husky/pre-commit'), 'utf8'), 'true\n# host\n');
    assert.equal(
      (await asUser(uid, ['stat', '-c', '%u %a', join(workspace, '.husky')])).trim(),
      `${uid} 755`,
    );

    // Control: with the guard off all attacks work.
    const open = await bed.session({ workspace, mounts });
    assert.deepEqual(
      await workingAttacks(bed, open.container, tried, 'agent'),
      tried.map(({ name }) => name),
    );
    for (const script of fromOutside)
      assert.equal((await bed.sh(open.container, script)).status, 0, script);
    await killAndRelease(bed, open.container);

    // Once the host has removed the added files, it is guarded individually again.
    await rm(join(workspace, '.husky'), { recursive: true });
    await asUser(uid, ['mkdir', join(workspace, '.husky')]);
    await writeFile(join(workspace, '.husky/pre-commit'), 'true\n');
    await chown(join(workspace, '.husky/pre-commit'), uid, uid);
    const last = await bed.session({ workspace, protect });
    assert.equal(last.mounts.find(({ name }) => name === 'workspace')?.whole, undefined);
    assert.deepEqual(await workingAttacks(bed, last.container, attacks('/workspace'), 'agent'), []);
  },
);
