// Goal: a workspace that its user moves while a session runs stays guarded, and no guard is left in it
// afterwards, wherever it moved and whatever took its place.
// Method: real sessions with and without the guard; the user's git rewrites its configuration in the moved tree, which
// only the guard protects from the agent.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { killContainer } from '../../src/session/lifecycle/end-container.ts';
import { refOf } from '../../src/session/record/container-ref.ts';
import { type CoidBed, makeCoidBed, untilEntryGone } from '../incus/coid-bed.ts';
import { asUser, inventory, makeRepo, protect, untilGuarded } from './protect-bed.ts';

const limit = { timeout: 180_000 };
const uid = 1003;
const attack = 'echo "[x]" >> /workspace/.git/config';

const moves = {
  'to another name': async (_: CoidBed, from: string) => {
    await rename(from, `${from}-moved`);
    return `${from}-moved`;
  },
  'into another directory': async (bed: CoidBed, from: string) => {
    const to = join(await bed.directory(uid), 'deeper', 'project');
    await mkdir(join(to, '..'));
    await rename(from, to);
    return to;
  },
  'together with its parent': async (_: CoidBed, from: string) => {
    const above = join(from, '..');
    await rename(above, `${above}-moved`);
    return join(`${above}-moved`, 'project');
  },
} as const;

for (const [how, move] of Object.entries(moves)) {
  test(`a workspace moved ${how} stays guarded, and is clean afterwards`, limit, async () => {
    await using bed = await makeCoidBed();
    await using places = new MovedProjects(bed);
    const [bare, workspace] = [await places.project(), await places.project()];
    const open = await bed.session({ workspace: bare });
    const { container, id } = await bed.session({ workspace, protect });
    const [bareMoved, moved] = [
      places.at(await move(bed, bare)),
      places.at(await move(bed, workspace)),
    ];
    for (const path of [bareMoved, moved]) await configure(path);
    const free = await bed.sh(open.container, attack);
    assert.equal(free.status, 0, `guard off: ${free.stderr}`);
    await untilGuarded(join(moved, '.git/config'));
    const withGuard = await bed.sh(container, attack, 'root');
    assert.notEqual(withGuard.status, 0);
    await unconfigure(moved);
    await bed.sh(container, 'cp /bin/true /workspace/x; chmod 4755 /workspace/x');
    await endAndRelease(bed, container);
    await assertClean(moved);
    await untilEntryGone(join(bed.daemon.stateDir, 'set-id'), id);
    const { mode } = await stat(join(moved, 'x'));
    assert.equal(mode & 0o7000, 0, 'its setuid files');
  });
}

test('another directory that took its place is left alone', limit, async () => {
  await using bed = await makeCoidBed();
  await using places = new MovedProjects(bed);
  const workspace = await places.project();
  const { container } = await bed.session({ workspace, protect });
  const moved = places.at(await moves['to another name'](bed, workspace));
  const other = await makeRepo(bed, uid);
  await rename(other, workspace);
  const before = await inventory(workspace);
  await configure(moved);
  await untilGuarded(join(moved, '.git/config'));
  assert.deepEqual(await inventory(workspace), before);
  await unconfigure(moved);
  await endAndRelease(bed, container);
  assert.deepEqual(await inventory(workspace), before);
  await assertClean(moved);
});

test('a coid that starts later finds the moved workspace', limit, async () => {
  await using bed = await makeCoidBed();
  await using places = new MovedProjects(bed);
  const workspace = await places.project();
  const { container } = await bed.session({ workspace, protect });
  await bed.daemon.crash();
  const moved = places.at(await moves['into another directory'](bed, workspace));
  await bed.daemon.start();
  await configure(moved);
  await untilGuarded(join(moved, '.git/config'));
  const withGuard = await bed.sh(container, attack, 'root');
  assert.notEqual(withGuard.status, 0);
  assert.equal(await bed.status(container), 'Running');
  await unconfigure(moved);
  await endAndRelease(bed, container);
  await assertClean(moved);
});

test(
  'a workspace that cannot be found stops its session, and is cleaned once it is back',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    await using places = new MovedProjects(bed);
    const workspace = await places.project();
    const { container, id } = await bed.session({ workspace, protect });
    await bed.daemon.crash();
    const moved = places.at(await moves['into another directory'](bed, workspace));
    // The old path is recreated: as after a reboot, when mounts are restored.
    for (const path of ['workspace/.git', 'workspace'])
      execFileSync('umount', [
        '--recursive',
        '--lazy',
        join(bed.daemon.runDir, 'mounts', id, path),
      ]);
    const paused = bed.lifecycle.until('instance-paused', container);
    await bed.daemon.start();
    await paused;
    const found = await bed.incus.instance(container);
    assert.match(found?.instance.config['user.coi.alert'] ?? '', /Workspace not found/);
    await rename(moved, workspace);
    await endAndRelease(bed, container);
    await assertClean(workspace);
  },
);

/** Projects one directory below the bed's own, and their new paths: they are removed with the bed. */
class MovedProjects implements AsyncDisposable {
  readonly #bed: CoidBed;
  readonly #tops: string[] = [];

  constructor(bed: CoidBed) {
    this.#bed = bed;
  }

  async project(): Promise<string> {
    const above = await this.#bed.directory(uid);
    const project = join(above, 'project');
    await rename(await makeRepo(this.#bed, uid), project);
    return project;
  }

  at(path: string): string {
    this.#tops.push(path);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const path of this.#tops) {
      await rm(path, { recursive: true, force: true });
      if (path.endsWith('-moved/project')) await rm(join(path, '..'), { recursive: true });
    }
  }
}

/** Rewrites the file, which replaces the guarded one. */
async function configure(path: string): Promise<void> {
  await asUser(uid, ['git', '-C', path, 'config', 'a.b', 'c']);
}

async function unconfigure(path: string): Promise<void> {
  await asUser(uid, ['git', '-C', path, 'config', '--unset', 'a.b']);
}

async function assertClean(path: string): Promise<void> {
  const found = await inventory(path);
  const foreign = Object.entries(found).filter(
    ([, owners]) => !owners.startsWith(`${uid}:${uid} `),
  );
  assert.deepEqual(foreign, []);
  assert.equal('.git/commondir' in found, false);
  assert.equal('.husky' in found, false);
}

async function endAndRelease(bed: CoidBed, container: string): Promise<void> {
  const found = await bed.incus.instance(container);
  assert.ok(found);
  await killContainer(bed.incus, refOf(found.instance), AbortSignal.timeout(60_000));
  const directory = join(bed.daemon.stateDir, 'protect');
  for (const name of await readdir(directory)) await untilEntryGone(directory, name);
}
