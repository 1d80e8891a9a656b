// Goal: the agent cannot change files that the host runs later, as any user inside and by any route,
// while the host user works as before.
// Method: every attack twice in a real container: it works with the guard off, and fails with it on.
import assert from 'node:assert/strict';
import { chmod, chown, readdir, rename, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { killContainer } from '../../src/session/lifecycle/end-container.ts';
import { refOf } from '../../src/session/record/container-ref.ts';
import { makeCoidBed, untilEntryGone } from '../incus/coid-bed.ts';
import {
  asUser,
  attacks,
  commit,
  detachesMount,
  inventory,
  leavesMounts,
  makeRepo,
  protect,
  untilGuarded,
} from './protect-bed.ts';

const limit = { timeout: 180_000 };
const uid = 1003;

for (const user of ['agent', 'root'] as const) {
  test(
    `attacks of the ${user} on protected paths work without the guard and fail with it`,
    limit,
    async () => {
      await using bed = await makeCoidBed();
      const open = await bed.session({ workspace: await makeRepo(bed, uid) });
      const guarded = await bed.session({ workspace: await makeRepo(bed, uid), protect });
      for (const { name, script } of attacks) {
        const bare = await bed.sh(open.container, `cd /workspace; ${script}`, 'agent');
        assert.equal(bare.status, 0, `${name}, guard off: ${bare.stderr}`);
        const withGuard = await bed.sh(guarded.container, `cd /workspace; ${script}`, user);
        assert.notEqual(withGuard.status, 0, `${name}, guard on`);
      }
    },
  );
}

test(
  'the agent cannot rename .git from a mount namespace that it left with pivot_root',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const open = await bed.session({ workspace: await makeRepo(bed, uid) });
    const guarded = await bed.session({ workspace: await makeRepo(bed, uid), protect });
    const bare = await bed.sh(open.container, leavesMounts);
    assert.equal(bare.status, 0, bare.stderr.toString());
    const withGuard = await bed.sh(guarded.container, leavesMounts);
    assert.equal(withGuard.status, 7, withGuard.stderr.toString());
  },
);

test(
  'container root cannot rename .git through a descriptor after detaching the workspace',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const open = await bed.session({ workspace: await makeRepo(bed, uid) });
    const guarded = await bed.session({ workspace: await makeRepo(bed, uid), protect });
    const bare = await bed.sh(open.container, detachesMount, 'root');
    assert.equal(bare.status, 0, bare.stderr.toString());
    const withGuard = await bed.sh(guarded.container, detachesMount, 'root');
    assert.notEqual(withGuard.status, 0);
  },
);

test('removing the guard of .git, which its owner can do, stops the session', limit, async () => {
  await using bed = await makeCoidBed();
  const workspace = await makeRepo(bed, uid);
  const { container } = await bed.session({ workspace, protect });
  const paused = bed.lifecycle.until('instance-paused', container);
  await bed.sh(container, 'cd /workspace; chgrp $(id -g) .git').catch(() => undefined);
  await paused;
  assert.equal(await bed.status(container), 'Frozen');
  const found = await bed.incus.instance(container);
  assert.match(found?.instance.config['user.coi.alert'] ?? '', /Protection attacked/);
});

test('the agent can use git and commit', limit, async () => {
  await using bed = await makeCoidBed();
  const workspace = await makeRepo(bed, uid);
  const { container } = await bed.session({ workspace, protect });
  const identity = '-c user.name=A -c user.email=a@example.invalid';
  const worked = await bed.sh(
    container,
    `cd /workspace && echo x > file && git add file && git ${identity} commit -qm inside && git branch other && git stash list && git gc -q && mkdir -p .claude/commands && echo x > .claude/commands/new.md`,
  );
  assert.equal(worked.status, 0, worked.stderr.toString());
  assert.match(await asUser(uid, ['git', '-C', workspace, 'log', '--format=%s']), /inside/);
});

test(
  "the user's git and editors on the host work, and files that they write are guarded too",
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const workspace = await makeRepo(bed, uid);
    const { container } = await bed.session({ workspace, protect });
    const git = (...words: string[]) => asUser(uid, ['git', '-C', workspace, ...words]);
    await git('config', 'user.name', 'Somebody');
    await git('remote', 'add', 'origin', 'https://example.invalid/x.git');
    await git('branch', '--set-upstream-to=master').catch(() => git('status'));
    await commit(uid, workspace, 'from the host');
    assert.equal(
      (await git('config', 'remote.origin.url')).trim(),
      'https://example.invalid/x.git',
    );
    await untilGuarded(join(workspace, '.git/config'));
    // In place, and by renaming a file over the old one.
    await asUser(uid, ['sh', '-c', `echo '{"a":1}' > ${workspace}/.vscode/tasks.json`]);
    await asUser(uid, [
      'sh',
      '-c',
      `echo '{"b":1}' > ${workspace}/.claude/new && mv ${workspace}/.claude/new ${workspace}/.claude/settings.json`,
    ]);
    // Created, then its mode set: a moment later only root could.
    await asUser(uid, ['install', '-m', '755', '/bin/true', `${workspace}/.git/hooks/pre-commit`]);
    for (const path of ['.claude/settings.json', '.git/hooks/pre-commit'])
      await untilGuarded(join(workspace, path));
    await commit(uid, workspace, 'with a hook');
    const hook = await stat(join(workspace, '.git/hooks/pre-commit'));
    assert.equal(hook.mode & 0o111, 0o111);
    for (const path of [
      '.git/config',
      '.claude/settings.json',
      '.git/hooks/pre-commit',
      '.vscode/tasks.json',
    ]) {
      const attack = await bed.sh(container, `echo x >> /workspace/${path}`);
      assert.notEqual(attack.status, 0, path);
    }
  },
);

test(
  'after the session owners, groups and modes are the original ones, without placeholders',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const workspace = await makeRepo(bed, uid);
    await chmod(join(workspace, '.claude/settings.json'), 0o640);
    const before = await inventory(workspace);
    const { container } = await bed.session({ workspace, protect });
    assert.notDeepEqual(await inventory(workspace), before);
    await endAndRelease(bed, container);
    assert.deepEqual(await inventory(workspace), before);
  },
);

test(
  'a guard survives a coid crash, and the next coid removes it when its session is gone',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const workspace = await makeRepo(bed, uid);
    const before = await inventory(workspace);
    const { container } = await bed.session({ workspace, protect });
    await bed.daemon.crash();
    const attack = await bed.sh(container, 'echo x >> /workspace/.git/config');
    assert.notEqual(attack.status, 0);
    await bed.daemon.start();
    // It watches again: replacements by the host are guarded.
    await asUser(uid, ['git', '-C', workspace, 'config', 'a.b', 'c']);
    await untilGuarded(join(workspace, '.git/config'));
    await asUser(uid, ['git', '-C', workspace, 'config', '--unset', 'a.b']);
    await bed.daemon.crash();
    await deleteNow(bed, container);
    await bed.daemon.start();
    await untilReleased(bed);
    const after = await inventory(workspace);
    assert.deepEqual(Object.keys(after).sort(), Object.keys(before).sort());
    assert.deepEqual(
      Object.values(after).filter((line) => /18790973/.test(line)),
      [],
    );
  },
);

test("two sessions share their workspace's guard until the last one ends", limit, async () => {
  await using bed = await makeCoidBed();
  const workspace = await makeRepo(bed, uid);
  const before = await inventory(workspace);
  const one = await bed.session({ workspace, protect });
  const two = await bed.session({ workspace, protect });
  await deleteNow(bed, one.container);
  await bed.untilUnmounted(one.id);
  const attack = await bed.sh(two.container, 'echo x >> /workspace/.git/config');
  assert.notEqual(attack.status, 0);
  await endAndRelease(bed, two.container);
  assert.deepEqual(await inventory(workspace), before);
});

test('a path that cannot be guarded refuses the start and changes nothing', limit, async () => {
  await using bed = await makeCoidBed();
  const linked = await makeRepo(bed, uid);
  await rename(join(linked, '.vscode'), join(linked, 'elsewhere'));
  await symlink('.vscode', join(linked, '.vscode'));
  const before = await inventory(linked);
  const request = { ...bed.request(linked), protect };
  await assert.rejects(bed.coid.reserve(request), { code: 'unprotected-path' });
  assert.deepEqual(await inventory(linked), before);
  assert.deepEqual(await bed.mountIds(), []);
  const shared = await makeRepo(bed, uid);
  await chown(join(shared, '.git'), uid, 50);
  await chmod(join(shared, '.git'), 0o2775);
  await assert.rejects(bed.coid.reserve({ ...bed.request(shared), protect }), {
    code: 'unprotected-path',
  });
});

test('existing submodules and worktrees are guarded too', limit, async () => {
  await using bed = await makeCoidBed();
  const [library, workspace] = [await makeRepo(bed, uid), await makeRepo(bed, uid)];
  const git = (...words: string[]) =>
    asUser(uid, [
      'git',
      '-C',
      workspace,
      '-c',
      'protocol.file.allow=always',
      '-c',
      'user.name=A',
      '-c',
      'user.email=a@example.invalid',
      ...words,
    ]);
  await git('submodule', '--quiet', 'add', library, 'lib');
  await git('worktree', 'add', '--quiet', join(workspace, 'tree'));
  await asUser(uid, [
    'sh',
    '-c',
    `mkdir ${workspace}/lib/.githooks; echo x > ${workspace}/lib/.githooks/a`,
  ]);
  await git('-C', join(workspace, 'lib'), 'config', 'core.hooksPath', '.githooks');
  const { container } = await bed.session({ workspace, protect });
  for (const script of [
    'echo "[x]" >> .git/modules/lib/config',
    'echo x > .git/modules/lib/hooks/pre-commit',
    'echo /tmp > .git/modules/lib/commondir',
    'mv .git/modules/lib .git/modules/lib2',
    'mv .git/modules .git/modules2',
    'echo /tmp > .git/worktrees/tree/commondir',
    'mv .git/worktrees/tree .git/worktrees/tree2',
    'rm -f .git/worktrees/tree/gitdir',
    'echo x > lib/.githooks/a',
    'mv lib/.githooks lib/g',
    'mv lib lib2',
  ]) {
    const attack = await bed.sh(container, `cd /workspace; ${script}`);
    assert.notEqual(attack.status, 0, script);
  }
  // Work in the worktree continues.
  const worked = await bed.sh(
    container,
    'cd /workspace/.git/worktrees/tree && echo x > probe && rm probe && cd /workspace/lib && echo x > probe && git status --porcelain',
  );
  assert.equal(worked.status, 0, worked.stderr.toString());
  await git('-C', join(workspace, 'lib'), 'status');
});

type Bed = Awaited<ReturnType<typeof makeCoidBed>>;

/** Retries while coid still marks it as live: Incus runs one operation at a time per instance. */
async function deleteNow({ incus }: Bed, container: string): Promise<void> {
  const found = await incus.instance(container);
  assert.ok(found);
  await killContainer(incus, refOf(found.instance), AbortSignal.timeout(60_000));
}

async function endAndRelease(bed: Bed, container: string): Promise<void> {
  await deleteNow(bed, container);
  await untilReleased(bed);
}

/** Resolves when coid has removed all guards. */
async function untilReleased({ daemon }: Bed): Promise<void> {
  const directory = join(daemon.stateDir, 'protect');
  for (const name of await readdir(directory)) await untilEntryGone(directory, name);
}
