// Goal: records of guarded workspaces match the right ones: after a reboot that renumbers devices, after a workspace
// was missing while nothing ran in it, and if its disk is unmounted while a session runs.
// Method: the guard itself, as root, on repositories.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync } from 'node:fs';
import { chown, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { GuardRecord } from '../../src/daemon/protect/guard/record.ts';
import { WorkspaceGuards } from '../../src/daemon/protect/workspace-guards.ts';
import { HeldRoot } from '../../src/daemon/protect/workspace-root.ts';
import { openWithoutLinks } from '../../src/host/fs/open-mount-source.ts';
import type { Libc } from '../../src/host/linux/libc.ts';
import { loadLibc } from '../../src/host/linux/load-libc.ts';
import { mountPointsBelow } from '../../src/host/linux/mounts.ts';
import { localFiles } from '../bed/local-files.ts';
import { inventory, protect } from './protect-bed.ts';

const id = '00000000-0000-4000-8000-000000000000';
const owner = { uid: 1003, gid: 1003 };

test('two devices that swap their numbers at a reboot keep their records', async () => {
  await using fixture = await makeGuardedRepository();
  const { libc, stateDir } = fixture;
  // The root directories of two file systems have the same inode number.
  const projects = ['one', 'two'].map(fixture.at);
  for (const path of projects) {
    await mkdir(path);
    execFileSync('mount', ['-t', 'tmpfs', 'none', path]);
    await repository(path);
  }
  const before = await Promise.all(projects.map(inventory));
  const first = new WorkspaceGuards(fixture.parts());
  for (const path of projects) guard(first, libc, path, id);
  first.close();
  await swapDevices(stateDir);
  const next = new WorkspaceGuards(fixture.parts());
  await next.load();
  assert.equal((await readdir(join(stateDir, 'protect'))).length, 2);
  next.release(new Set());
  assert.deepEqual(await Promise.all(projects.map(inventory)), before);
  assert.deepEqual(await readdir(join(stateDir, 'protect')), []);
});

test("a workspace that is missing at its session's end is cleaned soon after it is back", async (context: TestContext) => {
  context.mock.timers.enable({ apis: ['setInterval'] });
  await using fixture = await makeGuardedRepository();
  const path = await repository(fixture.at('project'));
  const before = await inventory(path);
  const first = new WorkspaceGuards(fixture.parts());
  guard(first, fixture.libc, path, id);
  first.close();
  await rename(path, `${path}-away`);
  const next = new WorkspaceGuards(fixture.parts());
  await next.load();
  next.release(new Set());
  assert.deepEqual(next.notRemoved, [path]);
  context.mock.timers.tick(30_000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(next.notRemoved, [path]);
  await rename(`${path}-away`, path);
  context.mock.timers.tick(30_000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(next.notRemoved, []);
  assert.deepEqual(await inventory(path), before);
  assert.deepEqual(await readdir(join(fixture.stateDir, 'protect')), []);
});

test('a session that starts on a leftover guard knows the original owners', async () => {
  await using fixture = await makeGuardedRepository();
  const path = await repository(fixture.at('project'));
  execFileSync('chmod', ['640', join(path, '.git/config')]);
  const before = await inventory(path);
  const first = new WorkspaceGuards(fixture.parts());
  guard(first, fixture.libc, path, id);
  first.close();
  await rename(path, `${path}-away`);
  const next = new WorkspaceGuards(fixture.parts());
  await next.load();
  next.release(new Set());
  guard(next, fixture.libc, `${path}-away`, id);
  assert.deepEqual(next.notRemoved, []);
  next.drop(id);
  assert.deepEqual(await inventory(`${path}-away`), before);
});

test('a disk can be unmounted while a session runs on it, and its guard is still removed', async () => {
  await using fixture = await makeGuardedRepository();
  const { libc } = fixture;
  const disk = fixture.at('disk');
  await mkdir(disk);
  execFileSync('mount', ['-t', 'tmpfs', 'none', disk]);
  const path = await repository(join(disk, 'project'));
  const before = await inventory(path);
  const keeper = new WorkspaceGuards(fixture.parts());
  const source = openWithoutLinks(libc, path);
  using witness = HeldRoot.of(libc, source.fd);
  closeSync(source.fd);
  guard(keeper, libc, path, id);
  execFileSync('umount', [disk]);
  assert.ok(witness);
  const seen = witness.open();
  try {
    const shown = () => inventory(`/proc/self/fd/${seen}/.`);
    assert.notDeepEqual(await shown(), before);
    keeper.drop(id);
    assert.deepEqual(await shown(), before);
  } finally {
    closeSync(seen);
  }
  assert.deepEqual(keeper.notRemoved, []);
});

test('a workspace that cannot be checked for ten seconds stops its sessions, and coid keeps running', async () => {
  await using fixture = await makeGuardedRepository();
  const path = await repository(fixture.at('project'));
  let nowMs = 0;
  let isBroken = false;
  let failed = () => {};
  const libc = Object.assign(Object.create(fixture.libc) as Libc, {
    openat2: (...args: Parameters<Libc['openat2']>) => {
      if (isBroken && args[0] === '.git') throw Object.assign(new Error('EIO'), { code: 'EIO' });
      return fixture.libc.openat2(...args);
    },
  });
  const reported: string[] = [];
  const keeper = new WorkspaceGuards({
    ...fixture.parts(),
    libc,
    log: (_, event) => void (event === 'protection-failed' && failed()),
    elapsedMs: () => nowMs,
    tampered: (_, { what }) => reported.push(what),
  });
  guard(keeper, fixture.libc, path, id);
  isBroken = true;
  const look = async () => {
    const ended = new Promise<void>((resolve) => {
      failed = resolve;
    });
    keeper.checkAll();
    await ended;
    // The check itself is over when its promise is.
    await new Promise((resolve) => setImmediate(resolve));
  };
  for (; nowMs < 10_000; nowMs += 500) {
    await look();
    assert.deepEqual(reported, []);
  }
  await look();
  assert.deepEqual(reported, ['failing']);
  isBroken = false;
  keeper.drop(id);
});

async function makeGuardedRepository() {
  const libc = await loadLibc();
  const directory = await mkdtemp('/tmp/coit-roots-');
  const stateDir = join(directory, 'state');
  return {
    ...{ libc, stateDir },
    at: (name: string) => join(directory, name),
    parts: () => ({
      ...{ libc, files: localFiles, runDir: join(directory, 'run'), stateDir, graceMs: 0 },
      log: () => undefined,
      now: () => new Date(),
      elapsedMs: () => performance.now(),
      tampered: () => undefined,
    }),
    [Symbol.asyncDispose]: async () => {
      for (const mounted of mountPointsBelow(directory)) execFileSync('umount', [mounted]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function guard(keeper: WorkspaceGuards, libc: Libc, path: string, user: string): void {
  const source = openWithoutLinks(libc, path);
  try {
    keeper.protect(user, source, protect, owner);
  } finally {
    closeSync(source.fd);
  }
}

/** As after a reboot: each device has the other's previous number. */
async function swapDevices(stateDir: string): Promise<void> {
  const directory = join(stateDir, 'protect');
  const names = await readdir(directory);
  const texts = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')));
  const [one, two] = texts.map((text) => JSON.parse(text) as GuardRecord);
  assert.ok(one && two);
  assert.equal(one.inode, two.inode);
  const swapped = [
    { ...one, device: two.device, boot: 'another' },
    { ...two, device: one.device, boot: 'another' },
  ];
  for (const record of swapped)
    await writeFile(
      join(directory, `${record.device}-${record.inode}.json`),
      JSON.stringify(record),
    );
}

async function repository(path: string): Promise<string> {
  execFileSync('git', ['init', '--quiet', '--template=', path]);
  for (const name of ['.vscode', '.claude']) await mkdir(join(path, name));
  await writeFile(join(path, '.vscode/tasks.json'), '{}\n');
  await writeFile(join(path, '.claude/settings.json'), '{}\n');
  execFileSync('chown', ['-hR', '1003:1003', path]);
  await chown(path, 1003, 1003);
  return path;
}
