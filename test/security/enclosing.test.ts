// Goal: files that a repository names in one of its directories are guarded in a session that works in that directory alone.
// Method: every attack twice in a real container: the host's git runs it with the guard off, and not with it on.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CoidBed, makeCoidBed } from '../incus/coid-bed.ts';
import { asUser, makeRepo, protect } from './protect-bed.ts';
import { killAndRelease } from './worktree-bed.ts';

const uid = 1003;
const programs = ['githooks/pre-commit', 'tools/x', 'included'];

const cases = [
  { program: 'githooks/pre-commit', does: 'commit --allow-empty -qm x' },
  { program: 'tools/x', does: 'x' },
  { program: 'included', does: 'y' },
];

/** The workspace is two levels below its top. */
async function enclosed(bed: CoidBed): Promise<{ top: string; workspace: string }> {
  const top = await makeRepo(bed, uid);
  const workspace = join(top, 'deep/app');
  const program = (name: string) =>
    `mkdir -p $(dirname ${name}); printf '#!/bin/sh\\n' > ${name}; chmod +x ${name}`;
  await host(
    top,
    `mkdir -p deep/app; cd deep/app; ${programs.map(program).join('; ')}
    printf '[alias]\\n\\ty = !deep/app/included\\n' > git.conf
    git config core.hooksPath deep/app/githooks; git config alias.x '!sh -c ./deep/app/tools/x'
    git config include.path ../deep/app/git.conf`,
  );
  return { top, workspace };
}

function host(top: string, script: string): Promise<string> {
  const identity = '-c user.name=a -c user.email=a@example.invalid';
  const git = `git() { command git ${identity} "$@"; }`;
  return asUser(uid, ['sh', '-ec', `cd ${top}; ${git}; ${script}`]);
}

test('hooks, programs and included configuration named by the enclosing repository are guarded', {
  timeout: 180_000,
}, async () => {
  await using bed = await makeCoidBed();
  const mark = join(await bed.directory(uid), 'ran');
  const [bare, guardedRepo] = [await enclosed(bed), await enclosed(bed)];
  const open = await bed.session({ workspace: bare.workspace });
  const guarded = await bed.session({ workspace: guardedRepo.workspace, protect });
  const runs = async (top: string, does: string) => {
    await rm(mark, { force: true });
    await host(top, `git ${does}`);
    return existsSync(mark);
  };
  for (const { program, does } of cases) {
    const script = `cd /workspace && cp ${program} new && echo 'touch ${mark}' >> new && mv -f new ${program}`;
    const done = await bed.sh(open.container, script);
    assert.equal(done.status, 0, `${program}, guard off: ${done.stderr}`);
    assert.ok(await runs(bare.top, does), `${program}: the host does not run it, guard off`);
    for (const user of ['agent', 'root'] as const)
      assert.notEqual((await bed.sh(guarded.container, script, user)).status, 0, program);
    assert.ok(!(await runs(guardedRepo.top, does)), `${program}: the host runs it, guard on`);
  }
  for (const script of [
    'echo >> git.conf',
    'mv githooks g',
    'mv tools t',
    'echo x > githooks/pre-push',
  ]) {
    const tried = `cd /workspace && ${script}`;
    assert.notEqual((await bed.sh(guarded.container, tried, 'root')).status, 0, script);
  }
  const otherFile = await bed.sh(guarded.container, 'cd /workspace && echo x > tools/other');
  assert.equal(otherFile.status, 0, otherFile.stderr.toString());
});

test("after an agent created a .git in the workspace, the enclosing repository's files are still guarded", {
  timeout: 180_000,
}, async () => {
  await using bed = await makeCoidBed();
  const mark = join(await bed.directory(uid), 'ran');
  const attack = (program: string) =>
    `cd /workspace && cp ${program} new && echo 'touch ${mark}' >> new && mv -f new ${program}`;
  // The host's git skips an empty one, and above the workspace it ignores even a complete one.
  for (const make of ['mkdir .git', 'git init -q .', 'echo > .git']) {
    const { workspace } = await enclosed(bed);
    const first = await bed.session({ workspace, protect });
    const made = await bed.sh(first.container, `cd /workspace; ${make}`);
    assert.equal(made.status, 0, made.stderr.toString());
    await killAndRelease(bed, first.container);
    const { container } = await bed.session({ workspace, protect });
    for (const { program } of cases)
      assert.notEqual((await bed.sh(container, attack(program), 'root')).status, 0, program);
    await killAndRelease(bed, container);
  }
  // Control.
  const { top, workspace } = await enclosed(bed);
  const open = await bed.session({ workspace });
  for (const { program, does } of cases) {
    assert.equal((await bed.sh(open.container, attack(program), 'root')).status, 0, program);
    await rm(mark, { force: true });
    await host(top, `git ${does}`);
    assert.ok(existsSync(mark), `${program}: the host does not run it, guard off`);
  }
});
