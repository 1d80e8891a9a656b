// Goal: a workspace that its user moves while a session runs in it stays guarded, and nothing of the guard is left in it
// afterwards, wherever it went and whatever took its place.
// Method: real sessions, with the guard and without; the user's git writes its configuration anew in the moved tree, which
// nobody but the guard keeps from the agent.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { killContainer } from '../../src/session/lifecycle/end-container.ts';
import { refOf } from '../../src/session/record/container-ref.ts';
import { type CoidBed, coidBed, untilGone } from '../incus/coid-bed.ts';
import { asUser, inventory, protect, repository, untilGuarded } from './protect-bed.ts';

const limit = { timeout: 180_000 };
const uid = 1003;
const attack = 'echo "[x]" >> /workspace/.git/config';

const moves = {
  'to another name beside it': async (_: CoidBed, from: string) => {
    await rename(from, `${from}-moved`);
    return `${from}-moved`;
  },
  'into another directory': async (bed: CoidBed, from: string) => {
    const to = join(await bed.directory(uid), 'deeper', 'project');
    await mkdir(join(to, '..'));
    await rename(from, to);
    return to;
  },
  'together with the directory above it': async (_: CoidBed, from: string) => {
    const above = join(from, '..');
    await rename(above, `${above}-moved`);
    return join(`${above}-moved`, 'project');
  },
} as const;

for (const [how, move] of Object.entries(moves)) {
  test(
    `a workspace that was moved ${how} stays guarded, and is clean afterwards`,
    limit,
    async () => {
      await using bed = await coidBed();
      await using places = new Places(bed);
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
      const held = await bed.sh(container, attack, 'root');
      assert.notEqual(held.status, 0);
      await unconfigure(moved);
      await bed.sh(container, 'cp /bin/true /workspace/x; chmod 4755 /workspace/x');
      await endAndRelease(bed, container);
      await assertClean(moved);
      await untilGone(join(bed.daemon.stateDir, 'set-id'), id);
      const { mode } = await stat(join(moved, 'x'));
      assert.equal(mode & 0o7000, 0, 'what it made setuid');
    },
  );
}

test('another directory that took its place is left alone', limit, async () => {
  await using bed = await coidBed();
  await using places = new Places(bed);
  const workspace = await places.project();
  const { container } = await bed.session({ workspace, protect });
  const moved = places.at(await moves['to another name beside it'](bed, workspace));
  const other = await repository(bed, uid);
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

test('a coid that starts later finds the workspace where it is by then', limit, async () => {
  await using bed = await coidBed();
  await using places = new Places(bed);
  const workspace = await places.project();
  const { container } = await bed.session({ workspace, protect });
  await bed.daemon.crash();
  const moved = places.at(await moves['into another directory'](bed, workspace));
  await bed.daemon.start();
  await configure(moved);
  await untilGuarded(join(moved, '.git/config'));
  const held = await bed.sh(container, attack, 'root');
  assert.notEqual(held.status, 0);
  assert.equal(await bed.status(container), 'Running');
  await unconfigure(moved);
  await endAndRelease(bed, container);
  await assertClean(moved);
});

test(
  'a workspace that cannot be found stops its session, and is clean once it is back',
  limit,
  async () => {
    await using bed = await coidBed();
    await using places = new Places(bed);
    const workspace = await places.project();
    const { container, id } = await bed.session({ workspace, protect });
    await bed.daemon.crash();
    const moved = places.at(await moves['into another directory'](bed, workspace));
    // What would lead there: as after a reboot, when mounts are made anew.
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

/** Projects one directory below the bed's own, and where they went: they go with the bed. */
class Places implements AsyncDisposable {
  readonly #bed: CoidBed;
  readonly #tops: string[] = [];

  constructor(bed: CoidBed) {
    this.#bed = bed;
  }

  async project(): Promise<string> {
    const above = await this.#bed.directory(uid);
    const project = join(above, 'project');
    await rename(await repository(this.#bed, uid), project);
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

/** Writes the file anew, which takes the place of the guarded one. */
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
  for (const name of await readdir(directory)) await untilGone(directory, name);
}
