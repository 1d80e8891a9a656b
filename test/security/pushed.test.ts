// Goal: a push from the host into the workspace's repository runs no file of the agent. `git receive-pack` runs in the git
// directory and resolves a relative `core.hooksPath` from there: `.git/.githooks`, which projects do not have.
// Method: in pairs, with the guard off and on.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { killContainer } from '../../src/session/lifecycle/end-container.ts';
import { refOf } from '../../src/session/record/container-ref.ts';
import { type CoidBed, makeCoidBed, untilEntryGone } from '../incus/coid-bed.ts';
import { asUser, commit, makeRepo, protect } from './protect-bed.ts';

const limit = { timeout: 180_000 };
const uid = 1003;

for (const hooksPath of ['.githooks', '.husky/_', 'a/b/c'])
  test(
    `a push into the workspace does not run the agent's hooks with core.hooksPath = ${hooksPath}`,
    limit,
    async () => {
      await using bed = await makeCoidBed();
      const mark = await bed.directory(uid);
      const workspaces = [await makeRepo(bed, uid), await makeRepo(bed, uid)];
      for (const workspace of workspaces)
        await asUser(uid, ['git', '-C', workspace, 'config', 'core.hooksPath', hooksPath]);
      const [bare = '', held = ''] = workspaces;
      const before = await readdir(join(held, '.git'));
      const open = await bed.session({ workspace: bare });
      const guarded = await bed.session({ workspace: held, protect });
      const done = await bed.sh(open.container, attack(hooksPath, mark));
      assert.equal(done.status, 0, done.stderr.toString());
      assert.ok(await isRun(bed, bare, mark), 'the control: the host does not run it');
      for (const user of ['agent', 'root'] as const) {
        const refused = await bed.sh(guarded.container, attack(hooksPath, mark), user);
        assert.notEqual(refused.status, 0, user);
        const [top = ''] = hooksPath.split('/');
        const away = `cd /workspace/.git && mv ${top} x && mkdir -p ${hooksPath}`;
        assert.notEqual((await bed.sh(guarded.container, away, user)).status, 0, user);
      }
      assert.ok(!(await isRun(bed, held, mark)));
      // The host can keep pushing, and nothing is left there.
      const result = await asUser(uid, ['git', '-C', held, 'branch', '--list', 'pushed-*']);
      assert.match(result, /pushed/);
      await endAndRelease(bed, guarded.container);
      assert.deepEqual(await readdir(join(held, '.git')), before);
      assert.ok((await lstat(join(held, '.git/config'))).isFile());
    },
  );

async function endAndRelease(bed: CoidBed, container: string): Promise<void> {
  const found = await bed.incus.instance(container);
  assert.ok(found);
  await killContainer(bed.incus, refOf(found.instance), AbortSignal.timeout(60_000));
  const directory = join(bed.daemon.stateDir, 'protect');
  for (const name of await readdir(directory)) await untilEntryGone(directory, name);
}

function attack(hooksPath: string, mark: string): string {
  return `set -e; cd /workspace/.git; mkdir -p ${hooksPath}
printf '#!/bin/sh\\ntouch ${mark}/ran\\n' > ${hooksPath}/pre-receive; chmod 755 ${hooksPath}/pre-receive`;
}

let pushes = 0;

async function isRun(bed: CoidBed, workspace: string, mark: string): Promise<boolean> {
  pushes += 1;
  const elsewhere = await bed.directory(uid);
  await asUser(uid, ['git', 'clone', '--quiet', workspace, join(elsewhere, 'clone')]);
  await commit(uid, join(elsewhere, 'clone'), 'more');
  const push = ['push', '--quiet', 'origin', `HEAD:refs/heads/pushed-${pushes}`];
  await asUser(uid, ['git', '-C', join(elsewhere, 'clone'), ...push]);
  const ran = existsSync(join(mark, 'ran'));
  await rm(join(mark, 'ran'), { force: true });
  return ran;
}
