// Goal: git's state for each linked worktree (submodules, a stopped rebase, the entry itself) cannot make the host's git
// run files of the agent, and the host can work in worktrees without a session.
// Method: every attack twice in a real container: the host runs it with the guard off, and not with it on.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CoidBed, makeCoidBed } from '../incus/coid-bed.ts';
import { asUser, inventory, makeRepo, protect, untilGuarded } from './protect-bed.ts';
import {
  commonOf,
  killAndRelease,
  killSession,
  makeWorktrees,
  type Worktrees,
} from './worktree-bed.ts';

const limit = { timeout: 180_000 };
const uid = 1003;
const identity = '-c user.name=a -c user.email=a@example.invalid -c protocol.file.allow=always';

/** A script of the host user. */
function host(at: string, script: string): Promise<string> {
  return asUser(uid, [
    'sh',
    '-c',
    `cd "$1" && git() { command git ${identity} "$@"; } && ${script}`,
    'sh',
    at,
  ]);
}

async function hasRun(mark: string, at: string, script: string): Promise<boolean> {
  await rm(mark, { force: true });
  await host(at, script).catch(() => undefined);
  return existsSync(mark);
}

/** Both have a submodule `sub` checked out. */
async function withSubmodules(bed: CoidBed): Promise<Worktrees> {
  const [tree, library] = [await makeWorktrees(bed, uid), await makeRepo(bed, uid)];
  await host(tree.main, `git submodule --quiet add ${library} sub && git commit -qm sub`);
  for (const at of [tree.feature, tree.other])
    await host(
      at,
      'git merge -q --ff-only $(git -C ../repo rev-parse HEAD) && git submodule --quiet update --init',
    );
  return tree;
}

test(
  'configuration and hooks of submodules in linked worktrees are guarded from every session',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const mark = join(await bed.directory(uid), 'ran');
    const [bare, guardedRepo] = [await withSubmodules(bed), await withSubmodules(bed)];
    const before = await inventory(guardedRepo.main);
    const of = ({ feature, common }: Worktrees) => ({
      workspace: feature,
      mounts: [commonOf(common)],
    });
    const open = await bed.session(of(bare));
    const guarded = await bed.session({ ...of(guardedRepo), protect });
    const inMain = await bed.session({ workspace: guardedRepo.main, protect });
    for (const name of ['feature', 'other'] as const) {
      const module = `.git/worktrees/${name}/modules/sub`;
      const attacks = [
        {
          script: `printf '[core]\n\tfsmonitor = "touch ${mark}; false"\n' >> config`,
          does: 'git status',
        },
        {
          script: `printf '#!/bin/sh\\ntouch ${mark}\\n' > hooks/pre-commit && chmod +x hooks/pre-commit`,
          does: 'git commit -q --allow-empty -m x',
        },
      ];
      for (const { script, does } of attacks) {
        const done = await bed.sh(open.container, `cd ${bare.main}/${module} && ${script}`);
        assert.equal(done.status, 0, `${name}, guard off: ${done.stderr}`);
        assert.ok(await hasRun(mark, `${bare[name]}/sub`, does), `${name}: ${does}, guard off`);
        for (const { container, at } of [
          { ...guarded, at: guardedRepo.main },
          { ...inMain, at: '/workspace' },
        ])
          for (const user of ['agent', 'root'] as const) {
            const refused = await bed.sh(container, `cd ${at}/${module} && ${script}`, user);
            assert.notEqual(refused.status, 0, `${name}, ${at}, ${user}`);
          }
        assert.ok(
          !(await hasRun(mark, `${guardedRepo[name]}/sub`, does)),
          `${name}: ${does}, guard on`,
        );
      }
    }
    await killSession(bed, guarded.container);
    await killAndRelease(bed, inMain.container);
    const owners = (all: Record<string, string>) =>
      Object.entries(all).filter(([path]) =>
        /modules\/sub(?:\/(?:hooks|config|info))?$/.test(path),
      );
    assert.deepEqual(owners(await inventory(guardedRepo.main)), owners(before));
  },
);

test(
  'hooks that a submodule in a linked worktree configures are guarded in the worktree',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const mark = join(await bed.directory(uid), 'ran');
    const [bare, guardedRepo] = [await withSubmodules(bed), await withSubmodules(bed)];
    for (const { feature } of [bare, guardedRepo])
      await host(
        `${feature}/sub`,
        'mkdir .hooks && echo true > .hooks/pre-commit && chmod +x .hooks/* && git config core.hooksPath .hooks',
      );
    const of = ({ feature, common }: Worktrees) => ({
      workspace: feature,
      mounts: [commonOf(common)],
    });
    const script = ({ feature }: Worktrees) =>
      `cd ${feature}/sub && printf '#!/bin/sh\\ntouch ${mark}\\n' > .hooks/pre-commit`;
    const does = 'git commit -q --allow-empty -m x';
    const open = await bed.session(of(bare));
    assert.equal((await bed.sh(open.container, script(bare))).status, 0);
    assert.ok(await hasRun(mark, `${bare.feature}/sub`, does), 'guard off');
    const guarded = await bed.session({ ...of(guardedRepo), protect });
    assert.notEqual((await bed.sh(guarded.container, script(guardedRepo), 'root')).status, 0);
    assert.ok(!(await hasRun(mark, `${guardedRepo.feature}/sub`, does)), 'guard on');
    const works = await bed.sh(guarded.container, `cd ${guardedRepo.feature}/sub && echo x > new`);
    assert.equal(works.status, 0, works.stderr.toString());
  },
);

/** A rebase that stopped before its first step. */
const stops = "GIT_SEQUENCE_EDITOR='sed -i 1ibreak' git rebase -q -i HEAD~1";

test(
  'a host rebase in a worktree without a session is not attributed to the agent',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const mark = join(await bed.directory(uid), 'ran');
    const [bare, early, late] = [
      await makeWorktrees(bed, uid),
      await makeWorktrees(bed, uid),
      await makeWorktrees(bed, uid),
    ];
    const commits = 'for n in 1 2 3; do echo $n > $n && git add . && git commit -qm $n; done';
    for (const { other } of [bare, early, late]) await host(other, commits);
    for (const { other } of [bare, early]) await host(other, stops);
    const before = await inventory(join(early.main, '..'));
    const attack = ({ common }: Worktrees) =>
      `cd ${common}/worktrees/other && echo 'exec touch ${mark}' > rebase-merge/git-rebase-todo`;
    const session = ({ feature, common }: Worktrees) => ({
      workspace: feature,
      mounts: [commonOf(common)],
    });
    const open = await bed.session(session(bare));
    assert.equal((await bed.sh(open.container, attack(bare))).status, 0);
    assert.ok(await hasRun(mark, bare.other, 'git rebase --continue'), 'guard off');
    await rm(mark);
    for (const tree of [early, late]) {
      const { container } = await bed.session({ ...session(tree), protect });
      if (tree === late) {
        const guarded = untilGuarded(`${tree.common}/worktrees/other/rebase-merge`);
        await host(tree.other, stops);
        await guarded;
        await untilGuarded(`${tree.common}/worktrees/other/rebase-merge/git-rebase-todo`);
      }
      for (const user of ['agent', 'root'] as const)
        assert.notEqual((await bed.sh(container, attack(tree), user)).status, 0, user);
      if (tree === early) {
        await killAndRelease(bed, container);
        assert.deepEqual(await inventory(join(early.main, '..')), before);
        await bed.session({ ...session(tree), protect });
      }
      // The host's own git works there.
      await host(tree.other, 'git rebase --continue');
      assert.ok(!existsSync(mark));
      const more = `${stops} && git status && git rebase --abort && git commit -q --allow-empty -m b && git rebase -q --force-rebase HEAD~2 && git fsck --strict`;
      await host(tree.other, more);
      assert.equal(await host(tree.other, 'git log --format=%s -3'), 'b\n3\n2\n');
      await host(tree.main, 'git worktree remove ../other');
      assert.ok(!existsSync(`${tree.common}/worktrees/other`));
    }
  },
);

test(
  'a planted worktree entry or link removes no guard of a named directory and seals nothing',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const workspace = await makeRepo(bed, uid);
    await host(
      workspace,
      "mkdir -p tools/lib src && echo 1 > tools/index.js && git config alias.check '!node tools'",
    );
    const script = 'cd /workspace && echo x > tools/strip';
    const planted = [
      'mkdir -p .git/worktrees/evil && cd .git/worktrees/evil',
      `echo ${workspace}/tools/lib/.git > gitdir && echo ../.. > commondir && echo "ref: refs/heads/x" > HEAD`,
      'ln -s ../../src ../link',
    ];
    const open = await bed.session({ workspace });
    assert.equal((await bed.sh(open.container, script)).status, 0, 'guard off');
    await killAndRelease(bed, open.container);
    const first = await bed.session({ workspace, protect });
    const done = await bed.sh(first.container, `cd /workspace && ${planted.join(' && ')}`);
    assert.equal(done.status, 0, done.stderr.toString());
    await killAndRelease(bed, first.container);
    const second = await bed.session({ workspace, protect });
    assert.notEqual((await bed.sh(second.container, script, 'root')).status, 0);
    const works = await bed.sh(second.container, 'cd /workspace && echo x > src/new');
    assert.equal(works.status, 0, works.stderr.toString());
  },
);
