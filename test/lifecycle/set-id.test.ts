// Goal: rights that a session gave to programs are found and taken away whoever owns them, and nothing else is.
// Method: the search itself, as root, on a tree of files of several users.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { closeSync, statSync } from 'node:fs';
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  open,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, test } from 'node:test';
import { SetIds } from '../../src/daemon/cleanup/set-id-sweeper.ts';
import { MountRoots } from '../../src/daemon/mounts/mount-roots.ts';
import { setIdFiles } from '../../src/host/fs/meta/set-id-files.ts';
import { openAs } from '../../src/host/fs/open-source.ts';
import { loadLibc } from '../../src/host/linux/load-libc.ts';
import { localFiles } from '../bed/local-files.ts';

test('setuid, setgid and capabilities of every owner since the start; what was so before stays, and links lead nowhere', async () => {
  const libc = await loadLibc();
  const root = await mkdtemp('/tmp/coit-set-id-');
  try {
    const make = async (path: string, uid: number, mode: number) => {
      const full = join(root, path);
      await mkdir(join(full, '..'), { recursive: true });
      await writeFile(full, '');
      await chown(full, uid, uid);
      await chmod(full, mode);
      return full;
    };
    const old = await make('in/old', 1003, 0o4755);
    await make('outside', 1003, 0o4755);
    // The kernel's clock of files is coarser than ours: what was before is told by its own time.
    const sinceMs = (await stat(old)).ctimeMs + 1;
    while ((await stat(await make('in/clock', 0, 0o644))).ctimeMs < sinceMs);
    for (const [path, uid, mode] of [
      ['in/of-root', 0, 0o4755],
      ['in/of-user', 1003, 0o4711],
      ['in/of-agent', 101_000, 0o2755],
      ['in/deep/er/of-nobody', 65_534, 0o6755],
      ['in/not-to-be-run', 1003, 0o4644],
      ['in/plain', 1003, 0o755],
    ] as const)
      await make(path, uid, mode);
    const capable = await make('in/capable', 1003, 0o755);
    const capability = Buffer.alloc(20);
    capability.writeUInt32LE(0x02000001, 0);
    capability.writeUInt32LE(0x400, 4);
    libc.setxattr(capable, 'security.capability', capability);
    await mkdir(join(root, 'in/group'));
    await chmod(join(root, 'in/group'), 0o2775);
    await symlink('../outside', join(root, 'in/link'));
    await using directory = await open(join(root, 'in'));
    const search = (strip: boolean) =>
      setIdFiles(libc, {
        ...{ directory: directory.fd, sinceMs, strip },
        signal: new AbortController().signal,
      });
    const paths = async (strip: boolean) =>
      (await search(strip)).found.map(({ path }) => path).sort();
    const wanted = [
      'capable',
      'deep/er/of-nobody',
      'not-to-be-run',
      'of-agent',
      'of-root',
      'of-user',
    ];
    assert.deepEqual(await paths(false), wanted);
    assert.deepEqual(await paths(true), wanted);
    assert.deepEqual(await paths(true), []);
    const modeOf = async (path: string) => (await stat(join(root, path))).mode & 0o7777;
    assert.equal(await modeOf('in/old'), 0o4755);
    assert.equal(await modeOf('outside'), 0o4755);
    assert.equal(await modeOf('in/group'), 0o2775);
    assert.equal(await modeOf('in/of-user'), 0o711);
    assert.equal(libc.getxattr(capable, 'security.capability'), undefined);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});

describe('at the end of a session', () => {
  it('all of 1100 setuid files are taken away: names are told of the first, and the number of all', async () => {
    await using place = await placed(1100);
    const sweep = await place.coid();
    await sweep.settled(place.id);
    assert.equal(await place.left(), 0);
    const [session] = await place.ended(sweep);
    assert.deepEqual(
      [session?.strippedCount, session?.complete, (session?.stripped ?? []).length],
      [1100, true, 100],
    );
    assert.deepEqual(await place.notes(), []);
  });

  it('whoever asks while it is looked at waits for it, and is told of all', async () => {
    await using place = await placed(40);
    const sweep = await place.coid();
    const settled = sweep.settled(place.id);
    const [session] = await place.ended(sweep);
    assert.deepEqual([session?.complete, session?.strippedCount], [true, 40]);
    await settled;
  });

  it('a coid that is told to end during the search keeps the note and says that it does not know; the next one finishes', async () => {
    await using place = await placed(40);
    const abort = new AbortController();
    const ending = await place.coid(abort.signal);
    const settled = ending.settled(place.id);
    const asked = place.ended(ending);
    abort.abort();
    const [before] = await asked;
    assert.deepEqual([before?.complete, before?.stripped], [false, []], 'not looked at yet');
    await settled;
    assert.deepEqual(await place.notes(), [place.id]);
    const next = await place.coid();
    next.follow([], new Set());
    await next.settled(place.id);
    assert.equal(await place.left(), 0);
    const [session, ...more] = await place.ended(next);
    assert.deepEqual([session?.complete, more], [true, []]);
    assert.ok((session?.strippedCount ?? 0) >= 1);
    assert.deepEqual(await place.notes(), []);
  });

  it('a file that refuses keeps no other from being taken away, is told as not looked at, and is looked at again', async () => {
    await using place = await placed(20);
    const libc = await loadLibc();
    let refusing = (await stat(join(place.workspace, '7'))).ino;
    const sweep = await place.coid(undefined, {
      ...libc,
      getxattr: (path, name) => {
        if (statSync(path).ino === refusing) throw new Error('EIO');
        return libc.getxattr(path, name);
      },
    });
    await sweep.settled(place.id);
    assert.equal(await place.left(), 1);
    assert.equal((await place.ended(sweep))[0]?.complete, false);
    assert.deepEqual(await place.notes(), [place.id]);
    refusing = 0;
    // Not at once: what fails is tried again after a while.
    await sweep.settled(place.id);
    assert.equal(await place.left(), 1);
    place.later(3_600_000);
    await sweep.settled(place.id);
    assert.equal(await place.left(), 0);
    const [session, ...more] = await place.ended(sweep);
    assert.deepEqual([session?.complete, session?.strippedCount, more], [true, 20, []]);
  });

  it('a source that is no longer the directory that was mounted is left alone, and told', async () => {
    await using place = await placed(3);
    await rename(place.workspace, `${place.workspace}-before`);
    await symlink(`${place.workspace}-before`, place.workspace);
    const sweep = await place.coid();
    await sweep.settled(place.id);
    assert.equal(await place.left(), 3);
    assert.deepEqual((await place.ended(sweep))[0]?.unseen, [place.workspace]);
    assert.deepEqual(await place.notes(), []);
  });

  it('nobody else is told of it', async () => {
    await using place = await placed(1);
    const sweep = await place.coid();
    await sweep.settled(place.id);
    assert.deepEqual(await place.ended(sweep, 1004), []);
    assert.equal((await place.ended(sweep, 1003)).length, 1);
  });
});

/** A workspace with so many setuid files, and the note of a session that made them. */
async function placed(files: number) {
  const libc = await loadLibc();
  const top = await mkdtemp('/tmp/coit-set-id-');
  const workspace = join(top, 'workspace');
  const stateDir = join(top, 'state');
  await mkdir(workspace);
  await mkdir(stateDir);
  await chmod(top, 0o755);
  const id = randomUUID();
  let nowMs = 0;
  const noted = new Date();
  for (let index = 0; index < files; index += 1) {
    await writeFile(join(workspace, String(index)), '');
    await chmod(join(workspace, String(index)), 0o4755);
  }
  const roots = new MountRoots({
    ...{ libc, files: localFiles, stateDir },
    log: () => undefined,
    runDir: stateDir,
  });
  roots.load();
  const source = openAs(libc, { uid: 0, gid: 0, groups: [] }, workspace);
  roots.set(id, [{ request: { name: 'workspace', source: workspace, readonly: false }, source }]);
  closeSync(source.fd);
  const coid = async (signal = new AbortController().signal, given = libc) => {
    const sweep = new SetIds({
      libc: given,
      files: localFiles,
      roots,
      log: () => undefined,
      runDir: '/run/none',
      stateDir,
      now: () => new Date(),
      elapsedMs: () => nowMs,
      signal,
      lookEveryMs: 3_600_000,
      found: () => undefined,
    });
    sweep.load();
    return sweep;
  };
  const record = {
    ...{ id, runDir: '/run/none', ownerUid: 1003, ownerGid: 1003, idmapBase: 0 },
    mounts: [{ name: 'workspace', source: workspace, readonly: false }],
  };
  await mkdir(join(stateDir, 'set-id'));
  const note = { ...record, container: 'c-1', workspace, sources: [workspace] };
  const text = JSON.stringify({ ...note, sinceMs: noted.getTime() });
  await writeFile(join(stateDir, 'set-id', id), text);
  return {
    ...{ id, top, workspace, coid },
    later: (ms: number) => {
      nowMs += ms;
    },
    left: async () => {
      const modes = await Promise.all(
        (await readdir(workspace)).map(async (name) => (await stat(join(workspace, name))).mode),
      );
      return modes.filter((mode) => (mode & 0o4000) !== 0).length;
    },
    ended: (sweep: SetIds, uid = 0) =>
      sweep
        .ended({ workspace }, { uid, gid: uid, groups: [], pid: 1 })
        .then(({ sessions }) => sessions),
    notes: async () =>
      (await readdir(join(stateDir, 'set-id'))).filter((name) => !name.startsWith('ended')),
    [Symbol.asyncDispose]: () => rm(top, { recursive: true, force: true }),
  };
}
