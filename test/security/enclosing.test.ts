// Goal: what a repository names in a directory of it is not the agent's to change where a session works in that directory alone.
// Method: every attack twice, in a real container: the host's git runs it with the guard off, and not with it on.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CoidBed, coidBed } from '../incus/coid-bed.ts';
import { asUser, protect, repository } from './protect-bed.ts';
import { ended } from './worktree-bed.ts';

const uid = 1003;
const programs = ['githooks/pre-commit', 'tools/x', 'included'];

const cases = [
  { program: 'githooks/pre-commit', does: 'commit --allow-empty -qm x' },
  { program: 'tools/x', does: 'x' },
  { program: 'included', does: 'y' },
];

/** The workspace is two levels below its top. */
async function enclosed(bed: CoidBed): Promise<{ top: string; workspace: string }> {
  const top = await repository(bed, uid);
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

test('hooks, programs and further configuration that the repository around the workspace names in it', {
  timeout: 180_000,
}, async () => {
  await using bed = await coidBed();
  const mark = join(await bed.directory(uid), 'ran');
  const [bare, held] = [await enclosed(bed), await enclosed(bed)];
  const open = await bed.session({ workspace: bare.workspace });
  const guarded = await bed.session({ workspace: held.workspace, protect });
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
    assert.ok(!(await runs(held.top, does)), `${program}: the host runs it, guard on`);
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
  const beside = await bed.sh(guarded.container, 'cd /workspace && echo x > tools/other');
  assert.equal(beside.status, 0, beside.stderr.toString());
});

test('the same in the next session, after an agent made a .git in the workspace, whatever is in it', {
  timeout: 180_000,
}, async () => {
  await using bed = await coidBed();
  const mark = join(await bed.directory(uid), 'ran');
  const attack = (program: string) =>
    `cd /workspace && cp ${program} new && echo 'touch ${mark}' >> new && mv -f new ${program}`;
  // Git of the host passes over an empty one, and above the workspace it does not look at a whole one either.
  for (const make of ['mkdir .git', 'git init -q .', 'echo > .git']) {
    const { workspace } = await enclosed(bed);
    const first = await bed.session({ workspace, protect });
    const made = await bed.sh(first.container, `cd /workspace; ${make}`);
    assert.equal(made.status, 0, made.stderr.toString());
    await ended(bed, first.container);
    const { container } = await bed.session({ workspace, protect });
    for (const { program } of cases)
      assert.notEqual((await bed.sh(container, attack(program), 'root')).status, 0, program);
    await ended(bed, container);
  }
  // The control.
  const { top, workspace } = await enclosed(bed);
  const open = await bed.session({ workspace });
  for (const { program, does } of cases) {
    assert.equal((await bed.sh(open.container, attack(program), 'root')).status, 0, program);
    await rm(mark, { force: true });
    await host(top, `git ${does}`);
    assert.ok(existsSync(mark), `${program}: the host does not run it, guard off`);
  }
});
