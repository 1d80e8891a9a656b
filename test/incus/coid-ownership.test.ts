// Goal: files that the agent writes belong to the owner of the workspace, and the mounts give no further access.
// Method: real containers on mounts that a private coid made, inspected from both sides.
import assert from 'node:assert/strict';
import { chmod, chown, lstat, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { mustRun } from '../bed/command.ts';
import { makeCoidBed } from './coid-bed.ts';

const limit = { timeout: 120_000 };

async function options(target: string): Promise<string> {
  const mountinfo = await readFile('/proc/self/mountinfo', 'utf8');
  return (
    mountinfo
      .split('\n')
      .find((line) => line.split(' ')[4] === target)
      ?.split(' ')[5] ?? ''
  );
}

for (const uid of [1003, 1000, 0]) {
  test(
    `in a workspace of uid ${uid} the agent is that user on the host, and container root is unprivileged`,
    limit,
    async () => {
      await using bed = await makeCoidBed();
      const workspace = await bed.directory(uid);
      await writeFile(join(workspace, 'owned'), 'from the host\n', { mode: 0o600 });
      await chown(join(workspace, 'owned'), uid, uid);
      const { container, idmapBase, ownerUid, mounts } = await bed.session({ workspace });
      assert.equal(ownerUid, uid);

      const agent = await bed.sh(
        container,
        'stat -c %u:%g /workspace/owned && cat /workspace/owned && touch /workspace/made && mkdir -p /workspace/dir',
      );
      assert.deepEqual([agent.status, agent.stdout.toString()], [0, '1000:1000\nfrom the host\n']);
      for (const name of ['made', 'dir']) {
        const { uid: madeUid, gid } = await lstat(join(workspace, name));
        assert.deepEqual([madeUid, gid], [uid, uid]);
      }
      await bed.sh(container, 'touch /workspace/by-root', 'root');
      assert.equal((await lstat(join(workspace, 'by-root'))).uid, idmapBase);
      assert.deepEqual(
        mounts.map(({ kind }) => kind),
        ['idmapped'],
      );
    },
  );
}

test(
  "other users' files on the host are inaccessible to the agent and to container root",
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const workspace = await bed.directory(1003);
    await chmod(workspace, 0o777);
    for (const [name, uid] of [
      ['of-root', 0],
      ['of-another', 4242],
    ] as const) {
      await writeFile(join(workspace, name), 'secret\n', { mode: 0o600 });
      await chown(join(workspace, name), uid, uid);
    }
    const { container } = await bed.session({ workspace });
    for (const user of ['agent', 'root'] as const) {
      for (const name of ['of-root', 'of-another']) {
        for (const command of [
          `cat /workspace/${name}`,
          `echo x > /workspace/${name}`,
          `chmod 666 /workspace/${name}`,
          `chown 1000 /workspace/${name}`,
        ]) {
          assert.notEqual(
            (await bed.sh(container, command, user)).status,
            0,
            `${user}: ${command}`,
          );
        }
      }
    }
    assert.equal(await readFile(join(workspace, 'of-root'), 'utf8'), 'secret\n');
  },
);

test('setuid programs and devices in the workspace have no effect', limit, async () => {
  await using bed = await makeCoidBed();
  const workspace = await bed.directory(1003);
  const { container, mounts } = await bed.session({ workspace });
  const shown = await options(mounts[0]?.hostPath ?? '');
  for (const option of ['nosuid', 'nodev']) assert.ok(shown.split(',').includes(option), shown);

  const suid = 'cp /usr/bin/id DIR/id && chmod 4755 DIR/id';
  const elsewhere = suid.replaceAll('DIR', '/usr/local/bin');
  await bed.sh(container, elsewhere, 'root');
  await bed.sh(container, suid.replaceAll('DIR', '/workspace'), 'root');
  const control = await bed.sh(container, '/usr/local/bin/id');
  assert.match(control.stdout.toString(), /euid=0/);
  const inWorkspace = await bed.sh(container, '/workspace/id');
  assert.match(inWorkspace.stdout.toString(), /^uid=1000/);
  assert.doesNotMatch(inWorkspace.stdout.toString(), /euid=0/);

  await chmod(workspace, 0o755);
  await mustRun(['mknod', '-m', '666', join(workspace, 'null'), 'c', '1', '3']);
  const plain = { type: 'disk', source: workspace, path: '/plain' };
  await bed.incus.updateInstance(container, { devices: { plain } });
  assert.equal((await bed.sh(container, 'echo x > /plain/null')).status, 0);
  assert.notEqual((await bed.sh(container, 'echo x > /workspace/null')).status, 0);
});

test('a read-only mount stays read-only, whatever the container tries', limit, async () => {
  await using bed = await makeCoidBed();
  const source = await bed.directory(1003);
  await writeFile(join(source, 'file'), 'kept\n', { mode: 0o666 });
  const mounts = [{ name: 'extra', source, readonly: true }];
  const { container } = await bed.session({ uid: 1003, mounts });
  assert.equal((await bed.sh(container, 'cat /extra/file')).stdout.toString(), 'kept\n');
  for (const user of ['agent', 'root'] as const) {
    assert.notEqual((await bed.sh(container, 'echo x > /extra/file', user)).status, 0);
  }
  for (const remount of [
    'mount -o remount,rw /extra',
    'mount -o remount,bind,rw /extra',
    'mkdir -p /t && mount --bind /extra /t && mount -o remount,bind,rw /t',
  ]) {
    await bed.sh(container, remount, 'root');
    assert.notEqual(
      (await bed.sh(container, 'echo x > /extra/file || echo x > /t/file', 'root')).status,
      0,
      remount,
    );
  }
  assert.equal(await readFile(join(source, 'file'), 'utf8'), 'kept\n');
});
