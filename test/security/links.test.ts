// Goal: a protected path that is reached through links is guarded as any other: the links, what they lead to, and the
// directories on the way; and what the host does to its links meanwhile is followed.
// Method: every attack twice, in a real container: it works with the guard off, and is refused with it on.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { defaultSettings } from '../../src/monitor/settings.ts';
import { killContainer } from '../../src/session/lifecycle/end-container.ts';
import { refOf } from '../../src/session/record/container-ref.ts';
import { type CoidBed, coidBed, untilGone } from '../incus/coid-bed.ts';
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

test('settings that lie behind a link to their directory cannot be written', limit, async () => {
  await using bed = await coidBed();
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
  'what is done to protected paths behind links works without the guard and is refused with it, to the agent and to root',
  limit,
  async () => {
    await using bed = await coidBed();
    const open = await bed.session({ workspace: await linkedRepository(bed, uid) });
    const workspace = await linkedRepository(bed, uid);
    const before = await inventory(workspace);
    const guarded = await bed.session({ workspace, protect: protectLinked });
    for (const { name, script } of linkAttacks) {
      const bare = await bed.sh(open.container, `cd /workspace; ${script}`, 'agent');
      assert.equal(bare.status, 0, `${name}, guard off: ${bare.stderr}`);
      for (const user of ['agent', 'root'] as const) {
        const held = await bed.sh(guarded.container, `cd /workspace; ${script}`, user);
        assert.notEqual(held.status, 0, `${name}, guard on, ${user}`);
      }
    }
    // Beside what is guarded work goes on, in the same directories, too.
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
  'links and what they lead to cannot be renamed through a descriptor, from a namespace of its own or a detached mount',
  limit,
  async () => {
    await using bed = await coidBed();
    for (const [script, user] of [
      [leavesMountsAndRenames, 'agent'],
      [detachesAndReplaces, 'root'],
    ] as const) {
      const open = await bed.session({ workspace: await linkedRepository(bed, uid) });
      const workspace = await linkedRepository(bed, uid);
      const guarded = await bed.session({ workspace, protect: protectLinked });
      const bare = await bed.sh(open.container, script, user);
      assert.equal(bare.status, 0, `${user}: ${bare.stderr}`);
      const held = await bed.sh(guarded.container, script, user);
      assert.equal(held.status, 7, `${user}: ${held.stderr}`);
    }
  },
);

test(
  'a repository whose .git is a file that names it is guarded as one, and git goes on inside and on the host',
  limit,
  async () => {
    await using bed = await coidBed();
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
      // The group is what a guard by the group can be stripped of.
      'chgrp $(id -g) .git && mv .git g && mv g .git',
      'perl -e \'opendir(my $w, "."); chdir $w; exit(rename(".git", "g") && rename("g", ".git") ? 0 : 7)\'',
    ]) {
      const bare = await bed.sh(open.container, `cd /workspace; ${script}`);
      assert.equal(bare.status, 0, `${script}: ${bare.stderr}`);
      for (const user of ['agent', 'root'] as const) {
        const held = await bed.sh(container, `cd /workspace; ${script}`, user);
        assert.notEqual(held.status, 0, `${script}, ${user}`);
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
  'a protected path that is missing behind a link and is made, or is made by a link, pauses a watched session',
  limit,
  async () => {
    await using bed = await coidBed();
    for (const [script, says] of [
      ['echo "{}" > /workspace/.cursor/mcp.json', /Protected path made: ai\/cursor\/mcp\.json/],
      // `.fleet` is not there at all: what it leads to is.
      [
        'mkdir /workspace/src; echo > /workspace/src/run.json; ln -s src /workspace/.fleet',
        /Protected path made: \.fleet\/run\.json/,
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
  'a link that the host leads elsewhere is followed: what it leads to now is guarded, with the way to it',
  limit,
  async () => {
    await using bed = await coidBed();
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
        const held = await bed.sh(container, `cd /workspace; ${script}`, user);
        assert.notEqual(held.status, 0, `${script}, ${user}`);
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

test('links that cannot be guarded with what they lead to refuse the start', limit, async () => {
  await using bed = await coidBed();
  const alias = `${await bed.directory(uid)}/alias`;
  for (const [target, reason] of [
    ['.vscode', /goes round/],
    ['/proc/self/cwd/ai', /leads out of the workspace and back into it/],
    ['.', /cannot be guarded as a whole/],
    [`${alias}/ai`, /leads out of the workspace and back into it/],
  ] as const) {
    const workspace = await linkedRepository(bed, uid);
    await asUser(uid, ['ln', '-sfn', join(workspace, 'ai'), alias]);
    await asUser(uid, ['ln', '-sfn', target, join(workspace, '.vscode')]);
    const asked = { ...bed.request(workspace), protect: protectLinked };
    await assert.rejects(bed.coid.reserve(asked), { code: 'unprotected-path', message: reason });
    const owners = await asUser(uid, ['find', workspace, '-not', '-user', String(uid)]);
    assert.equal(owners, '');
  }
  const workspace = await repositoryBehindFile(bed, uid);
  await asUser(uid, ['ln', '-sfn', 'store/git', join(workspace, '.git')]);
  const asked = { ...bed.request(workspace), protect };
  const message = /is a link, which git only takes while it belongs to you/;
  await assert.rejects(bed.coid.reserve(asked), { code: 'unprotected-path', message });
});

test(
  'a link that goes over another name of the workspace on the host is followed into it',
  limit,
  async () => {
    await using bed = await coidBed();
    const workspace = await linkedRepository(bed, uid);
    const alias = `${await bed.directory(uid)}/alias`;
    await symlink(workspace, alias);
    await asUser(uid, ['ln', '-sfn', `${alias}/ai/claude`, join(workspace, '.claude')]);
    const { container } = await bed.session({ workspace, protect: protectLinked });
    const held = await bed.sh(container, 'echo x > /workspace/ai/claude/settings.json');
    assert.notEqual(held.status, 0);
  },
);

test(
  'a protected path over which the host mounted something else refuses the start',
  limit,
  async () => {
    await using bed = await coidBed();
    for (const path of ['editor/vscode', 'ai', 'ai/mcp.json']) {
      const workspace = await linkedRepository(bed, uid);
      const asked = { ...bed.request(workspace), protect: protectLinked };
      const target = join(workspace, path);
      execFileSync('mount', ['--bind', target, target]);
      try {
        const message = /something else is mounted over/;
        await assert.rejects(bed.coid.reserve(asked), { code: 'unprotected-path', message });
      } finally {
        execFileSync('umount', [target]);
      }
      // The control: without it, the same start works.
      await bed.coid.release((await bed.coid.reserve(asked)).id);
    }
  },
);

async function endAndRelease(bed: CoidBed, container: string): Promise<void> {
  const found = await bed.incus.instance(container);
  assert.ok(found);
  await killContainer(bed.incus, refOf(found.instance), AbortSignal.timeout(60_000));
  await released(bed);
}

/** Resolves when coid has taken all guards away. */
async function released({ daemon }: CoidBed): Promise<void> {
  const directory = join(daemon.stateDir, 'protect');
  for (const name of await readdir(directory)) await untilGone(directory, name);
}
