// Goal: a protected path behind links is guarded like any other: the links, their targets, and the
// directories on the path; and changes of these links by the host are followed.
// Method: every attack twice in a real container: it works with the guard off, and fails with it on.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { defaultSettings } from '../../src/monitor/settings.ts';
import { killContainer } from '../../src/session/lifecycle/end-container.ts';
import { refOf } from '../../src/session/record/container-ref.ts';
import { type CoidBed, makeCoidBed, untilEntryGone } from '../incus/coid-bed.ts';
import { untilAudited } from './audited.ts';
import {
  detachesAndReplaces,
  leavesMountsAndRenames,
  linkAttacks,
  linkedRepository,
  protectLinked,
  repositoryBehindFile,
} from './link-bed.ts';
import { asUser, commit, inventory, protect, untilGuarded } from './protect-bed.ts';

const limit = { timeout: 180_000 };
const uid = 1003;

test('settings behind a link to their directory cannot be written', limit, async () => {
  await using bed = await makeCoidBed();
  const request = { paths: ['.claude/settings.json'], mode: 'guard' as const };
  const open = await bed.session({ workspace: await linkedRepository(bed, uid) });
  const workspace = await linkedRepository(bed, uid);
  const guarded = await bed.session({ workspace, protect: request });
  const script = 'echo "{ }" > /workspace/.claude/settings.json';
  assert.equal((await bed.sh(open.container, script)).status, 0);
  for (const user of ['agent', 'root'] as const)
    assert.notEqual((await bed.sh(guarded.container, script, user)).status, 0, user);
});

test(
  'attacks on protected paths behind links work without the guard and fail with it, for agent and root',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const open = await bed.session({ workspace: await linkedRepository(bed, uid) });
    const workspace = await linkedRepository(bed, uid);
    const before = await inventory(workspace);
    const guarded = await bed.session({ workspace, protect: protectLinked });
    for (const { name, script } of linkAttacks) {
      const bare = await bed.sh(open.container, `cd /workspace; ${script}`, 'agent');
      assert.equal(bare.status, 0, `${name}, guard off: ${bare.stderr}`);
      for (const user of ['agent', 'root'] as const) {
        const withGuard = await bed.sh(guarded.container, `cd /workspace; ${script}`, user);
        assert.notEqual(withGuard.status, 0, `${name}, guard on, ${user}`);
      }
    }
    // Next to guarded files work continues, even in the same directories.
    const worked = await bed.sh(
      guarded.container,
      'cd /workspace && rm -f new ai/claude/new && cat .claude/settings.json && echo x > ai/new && rm ai/new && echo x > .claude/new && rm .claude/new && mkdir pkg/src && rmdir pkg/src',
    );
    assert.equal(worked.status, 0, worked.stderr.toString());
    await endAndRelease(bed, guarded.container);
    assert.deepEqual(await inventory(workspace), before);
  },
);

test(
  'links and their targets cannot be renamed through a descriptor, another namespace or a detached mount',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    for (const [script, user] of [
      [leavesMountsAndRenames, 'agent'],
      [detachesAndReplaces, 'root'],
    ] as const) {
      const open = await bed.session({ workspace: await linkedRepository(bed, uid) });
      const workspace = await linkedRepository(bed, uid);
      const guarded = await bed.session({ workspace, protect: protectLinked });
      const bare = await bed.sh(open.container, script, user);
      assert.equal(bare.status, 0, `${user}: ${bare.stderr}`);
      const withGuard = await bed.sh(guarded.container, script, user);
      assert.equal(withGuard.status, 7, `${user}: ${withGuard.stderr}`);
    }
  },
);

test(
  'a repository whose .git is a file is guarded, and git works inside and on the host',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const open = await bed.session({ workspace: await repositoryBehindFile(bed, uid) });
    const workspace = await repositoryBehindFile(bed, uid);
    const before = await inventory(workspace);
    const { container } = await bed.session({ workspace, protect });
    for (const script of [
      'echo "[x]" >> store/git/config',
      'echo > store/git/hooks/pre-push && rm store/git/hooks/pre-push',
      'mv store/git store/g && mv store/g store/git',
      'mv store s && mv s store',
      'mv .git g && mkdir .git && rmdir .git && mv g .git',
      'cat .git > /tmp/g; echo "gitdir: /tmp" > .git && cat /tmp/g > .git',
      // A group guard could be removed by changing the group.
      'chgrp $(id -g) .git && mv .git g && mv g .git',
      'perl -e \'opendir(my $w, "."); chdir $w; exit(rename(".git", "g") && rename("g", ".git") ? 0 : 7)\'',
    ]) {
      const bare = await bed.sh(open.container, `cd /workspace; ${script}`);
      assert.equal(bare.status, 0, `${script}: ${bare.stderr}`);
      for (const user of ['agent', 'root'] as const) {
        const withGuard = await bed.sh(container, `cd /workspace; ${script}`, user);
        assert.notEqual(withGuard.status, 0, `${script}, ${user}`);
      }
    }
    const detached =
      'exec 9</workspace; unshare -m sh -c "umount -l /workspace; cd /proc/self/fd/9; chgrp 1000 .git; mv .git g && mv g .git"';
    assert.equal((await bed.sh(open.container, detached, 'root')).status, 0);
    assert.notEqual((await bed.sh(container, detached, 'root')).status, 0);
    const identity = '-c user.name=A -c user.email=a@example.invalid';
    const worked = await bed.sh(
      container,
      `cd /workspace && echo x > file && git add file && git ${identity} commit -qm inside`,
    );
    assert.equal(worked.status, 0, worked.stderr.toString());
    await commit(uid, workspace, 'from the host');
    await asUser(uid, ['git', '-C', workspace, 'config', 'a.b', 'c']);
    await untilGuarded(join(workspace, 'store/git/config'));
    await asUser(uid, ['git', '-C', workspace, 'config', '--unset', 'a.b']);
    await endAndRelease(bed, container);
    const after = await inventory(workspace);
    for (const path of ['.git', 'store', 'store/git', 'store/git/hooks'])
      assert.equal(after[path], before[path], path);
  },
);

test(
  'creating a missing protected path behind a link, or by a link, pauses a watched session',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    for (const [script, says] of [
      ['echo "{}" > /workspace/.cursor/mcp.json', /Protected path created: ai\/cursor\/mcp\.json/],
      // `.fleet` does not exist: its target does.
      [
        'mkdir /workspace/src; echo > /workspace/src/run.json; ln -s src /workspace/.fleet',
        /Protected path created: \.fleet\/run\.json/,
      ],
    ] as const) {
      const workspace = await linkedRepository(bed, uid);
      const request = { ...protectLinked, paths: [...protectLinked.paths, '.fleet/run.json'] };
      const { container } = await bed.session({
        workspace,
        protect: request,
        config: { 'user.coi.monitor': JSON.stringify({ ...defaultSettings, pollMs: 500 }) },
      });
      await untilAudited(bed.coid, container, ({ action }) => action === 'watch-started');
      const paused = bed.lifecycle.until('instance-paused', container);
      await bed.sh(container, script).catch(() => undefined);
      await paused;
      const found = await untilAudited(bed.coid, container, ({ level }) => level === 'high');
      assert.match(`${found.title}: ${found.description}`, says);
    }
  },
);

test(
  'a link that the host redirects is followed: its new target and path are guarded',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const workspace = await linkedRepository(bed, uid);
    await mkdir(join(workspace, 'other/deep'), { recursive: true });
    await writeFile(join(workspace, 'other/deep/settings.json'), '{}\n');
    await asUser(0, ['chown', '-R', `${uid}:${uid}`, join(workspace, 'other')]);
    const { container } = await bed.session({ workspace, protect: protectLinked });
    const control = await bed.sh(container, 'cd /workspace && mv other o && mv o other');
    assert.equal(control.status, 0, control.stderr.toString());
    await asUser(uid, ['ln', '-sfn', 'other/deep', join(workspace, '.claude')]);
    await untilGuarded(join(workspace, 'other/deep/settings.json'));
    await untilGuarded(join(workspace, '.claude'));
    for (const script of [
      'echo x >> other/deep/settings.json',
      'mv other o',
      'mv other/deep other/d',
      'mv .claude c',
      'ln -sfn ai/claude .claude',
    ])
      for (const user of ['agent', 'root'] as const) {
        const withGuard = await bed.sh(container, `cd /workspace; ${script}`, user);
        assert.notEqual(withGuard.status, 0, `${script}, ${user}`);
      }
    assert.equal(await bed.status(container), 'Running');
    // And back, as a checkout of another branch does.
    await asUser(uid, ['ln', '-sfn', 'ai/claude', join(workspace, '.claude')]);
    await untilGuarded(join(workspace, '.claude'));
    assert.notEqual((await bed.sh(container, 'mv /workspace/.claude /workspace/c')).status, 0);
    await endAndRelease(bed, container);
    const owners = Object.values(await inventory(workspace)).map((line) => line.split(' ')[0]);
    assert.deepEqual([...new Set(owners)], [`${uid}:${uid}`]);
  },
);

test('links whose targets cannot be guarded refuse the start', limit, async () => {
  await using bed = await makeCoidBed();
  const alias = `${await bed.directory(uid)}/alias`;
  for (const [target, reason] of [
    ['.vscode', /leads through a loop/],
    ['/proc/self/cwd/ai', /leads out of the workspace and back into it/],
    ['.', /cannot be guarded as a whole/],
    [`${alias}/ai`, /leads out of the workspace and back into it/],
  ] as const) {
    const workspace = await linkedRepository(bed, uid);
    await asUser(uid, ['ln', '-sfn', join(workspace, 'ai'), alias]);
    await asUser(uid, ['ln', '-sfn', target, join(workspace, '.vscode')]);
    const reserveRequest = { ...bed.request(workspace), protect: protectLinked };
    await assert.rejects(bed.coid.reserve(reserveRequest), {
      code: 'unprotected-path',
      message: reason,
    });
    const owners = await asUser(uid, ['find', workspace, '-not', '-user', String(uid)]);
    assert.equal(owners, '');
  }
  const workspace = await repositoryBehindFile(bed, uid);
  await asUser(uid, ['ln', '-sfn', 'store/git', join(workspace, '.git')]);
  const reserveRequest = { ...bed.request(workspace), protect };
  const message = /is a link: git only accepts it if it belongs to you/;
  await assert.rejects(bed.coid.reserve(reserveRequest), { code: 'unprotected-path', message });
});

test('a link through another host path of the workspace is followed into it', limit, async () => {
  await using bed = await makeCoidBed();
  const workspace = await linkedRepository(bed, uid);
  const alias = `${await bed.directory(uid)}/alias`;
  await symlink(workspace, alias);
  await asUser(uid, ['ln', '-sfn', `${alias}/ai/claude`, join(workspace, '.claude')]);
  const { container } = await bed.session({ workspace, protect: protectLinked });
  const withGuard = await bed.sh(container, 'echo x > /workspace/ai/claude/settings.json');
  assert.notEqual(withGuard.status, 0);
});

test('a protected path that the host has mounted over refuses the start', limit, async () => {
  await using bed = await makeCoidBed();
  for (const path of ['editor/vscode', 'ai', 'ai/mcp.json']) {
    const workspace = await linkedRepository(bed, uid);
    const reserveRequest = { ...bed.request(workspace), protect: protectLinked };
    const target = join(workspace, path);
    execFileSync('mount', ['--bind', target, target]);
    try {
      const message = /something else is mounted over/;
      await assert.rejects(bed.coid.reserve(reserveRequest), { code: 'unprotected-path', message });
    } finally {
      execFileSync('umount', [target]);
    }
    // Control: without it, the same start works.
    await bed.coid.release((await bed.coid.reserve(reserveRequest)).id);
  }
});

async function endAndRelease(bed: CoidBed, container: string): Promise<void> {
  const found = await bed.incus.instance(container);
  assert.ok(found);
  await killContainer(bed.incus, refOf(found.instance), AbortSignal.timeout(60_000));
  await untilReleased(bed);
}

/** Resolves when coid has removed all guards. */
async function untilReleased({ daemon }: CoidBed): Promise<void> {
  const directory = join(daemon.stateDir, 'protect');
  for (const name of await readdir(directory)) await untilEntryGone(directory, name);
}
