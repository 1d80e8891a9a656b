// Goal: setuid bits and capabilities that a session added are found and removed for every owner, and no others.
// Method: the search itself, as root, on a file tree of several users.
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
import { SetIdSweeper } from '../../src/daemon/cleanup/set-id-sweeper.ts';
import { MountRoots } from '../../src/daemon/mounts/mount-roots.ts';
import { findSetIdFiles } from '../../src/host/fs/meta/set-id-files.ts';
import { openAs } from '../../src/host/fs/open-mount-source.ts';
import { loadLibc } from '../../src/host/linux/load-libc.ts';
import { localFiles } from '../bed/local-files.ts';

test('new setuid, setgid and capabilities of any owner are found; earlier ones stay, and links are not followed', async () => {
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
    // File timestamps are coarser than our clock: earlier changes are recognised by their own timestamps.
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
      findSetIdFiles(libc, {
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

describe('setuid files at the end of a session', () => {
  it('all of 1100 setuid files are stripped; the first are named and all are counted', async () => {
    await using fixture = await makeWorkspace(1100);
    const sweep = await fixture.coid();
    await sweep.sweepEnded(fixture.id);
    assert.equal(await fixture.left(), 0);
    const [session] = await fixture.ended(sweep);
    assert.deepEqual(
      [session?.strippedCount, session?.complete, (session?.stripped ?? []).length],
      [1100, true, 100],
    );
    assert.deepEqual(await fixture.notes(), []);
  });

  it('a query during the search waits for it and gets the full result', async () => {
    await using fixture = await makeWorkspace(40);
    const sweep = await fixture.coid();
    const settled = sweep.sweepEnded(fixture.id);
    const [session] = await fixture.ended(sweep);
    assert.deepEqual([session?.complete, session?.strippedCount], [true, 40]);
    await settled;
  });

  it('a coid stopped during the search keeps the note and reports incompleteness; the next one finishes', async () => {
    await using fixture = await makeWorkspace(40);
    const abort = new AbortController();
    const ending = await fixture.coid(abort.signal);
    const settled = ending.sweepEnded(fixture.id);
    const query = fixture.ended(ending);
    abort.abort();
    const [before] = await query;
    assert.deepEqual([before?.complete, before?.stripped], [false, []], 'not checked yet');
    await settled;
    assert.deepEqual(await fixture.notes(), [fixture.id]);
    const next = await fixture.coid();
    next.reconcile([], new Set());
    await next.sweepEnded(fixture.id);
    assert.equal(await fixture.left(), 0);
    const [session, ...more] = await fixture.ended(next);
    assert.deepEqual([session?.complete, more], [true, []]);
    assert.ok((session?.strippedCount ?? 0) >= 1);
    assert.deepEqual(await fixture.notes(), []);
  });

  it('a file that cannot be changed does not block others, is reported as unchecked and is retried', async () => {
    await using fixture = await makeWorkspace(20);
    const libc = await loadLibc();
    let refusing = (await stat(join(fixture.workspace, '7'))).ino;
    const sweep = await fixture.coid(undefined, {
      ...libc,
      getxattr: (path, name) => {
        if (statSync(path).ino === refusing) throw new Error('EIO');
        return libc.getxattr(path, name);
      },
    });
    await sweep.sweepEnded(fixture.id);
    assert.equal(await fixture.left(), 1);
    assert.equal((await fixture.ended(sweep))[0]?.complete, false);
    assert.deepEqual(await fixture.notes(), [fixture.id]);
    refusing = 0;
    // Not at once: failures are retried after a while.
    await sweep.sweepEnded(fixture.id);
    assert.equal(await fixture.left(), 1);
    fixture.later(3_600_000);
    await sweep.sweepEnded(fixture.id);
    assert.equal(await fixture.left(), 0);
    const [session, ...more] = await fixture.ended(sweep);
    assert.deepEqual([session?.complete, session?.strippedCount, more], [true, 20, []]);
  });

  it('a mount source that is no longer the mounted directory is left alone and reported', async () => {
    await using fixture = await makeWorkspace(3);
    await rename(fixture.workspace, `${fixture.workspace}-before`);
    await symlink(`${fixture.workspace}-before`, fixture.workspace);
    const sweep = await fixture.coid();
    await sweep.sweepEnded(fixture.id);
    assert.equal(await fixture.left(), 3);
    assert.deepEqual((await fixture.ended(sweep))[0]?.unseen, [fixture.workspace]);
    assert.deepEqual(await fixture.notes(), []);
  });

  it('setuid results are visible only to their owner', async () => {
    await using fixture = await makeWorkspace(1);
    const sweep = await fixture.coid();
    await sweep.sweepEnded(fixture.id);
    assert.deepEqual(await fixture.ended(sweep, 1004), []);
    assert.equal((await fixture.ended(sweep, 1003)).length, 1);
  });
});

/** A workspace with many setuid files, and the note of the session that made them. */
async function makeWorkspace(files: number) {
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
    const sweep = new SetIdSweeper({
      libc: given,
      files: localFiles,
      roots,
      log: () => undefined,
      runDir: '/run/none',
      stateDir,
      now: () => new Date(),
      elapsedMs: () => nowMs,
      signal,
      intervalMs: 3_600_000,
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
    ended: (sweep: SetIdSweeper, uid = 0) =>
      sweep
        .endedSessions({ workspace }, { uid, gid: uid, groups: [], pid: 1 })
        .then(({ sessions }) => sessions),
    notes: async () =>
      (await readdir(join(stateDir, 'set-id'))).filter((name) => !name.startsWith('ended')),
    [Symbol.asyncDispose]: () => rm(top, { recursive: true, force: true }),
  };
}
