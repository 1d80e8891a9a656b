// Goal: rights that a session gave to programs are found and taken away whoever owns them, and nothing else is.
// Method: the search itself, as root, on a tree of files of several users.
import assert from 'node:assert/strict';
import { chmod, chown, mkdir, mkdtemp, open, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadLibc } from '../../src/host/libc.ts';
import { setIdFiles } from '../../src/host/set-id.ts';

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
