import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createInstaller } from './install.ts';

/** A tiny program in a group-writable directory, and target paths. */
async function scene() {
  const dir = await fs.mkdtemp(join(tmpdir(), 'coit-install-'));
  const source = join(dir, 'source');
  await fs.mkdir(join(source, 'dist/guest'), { recursive: true });
  await fs.mkdir(join(source, 'dist/native'), { recursive: true });
  await fs.writeFile(join(source, 'dist/main.js'), 'one', { mode: 0o666 });
  await fs.writeFile(join(source, 'dist/guest/start.sh'), '#!/bin/sh\n');
  await fs.writeFile(join(source, 'dist/native/some.node'), '');
  // A program that runs until its stdin ends and does not contain its own path.
  await fs.copyFile('/bin/cat', join(source, 'node'));
  const paths = {
    libDir: join(dir, 'lib'),
    linkPath: join(dir, 'bin/coi'),
    manPath: join(dir, 'man/coi.1'),
  };
  const program = {
    bundleDir: join(source, 'dist'),
    nodePath: join(source, 'node'),
    nodeVersion: 'v24.0.0',
  };
  return {
    dir,
    source,
    places: paths,
    program,
    installer: createInstaller(program, paths),
    [Symbol.asyncDispose]: () => fs.rm(dir, { recursive: true }),
  };
}

const versions = async (libDir: string) =>
  (await fs.readdir(libDir)).filter((name) => name !== 'current').sort();

test('a program is installed completely, executable for everybody and writable only for its owner', async () => {
  await using at = await scene();
  assert.equal((await at.installer.state()).installed, undefined);
  await at.installer.install();
  const state = await at.installer.state();
  assert.deepEqual(state, {
    wanted: state.wanted,
    installed: state.wanted,
    link: 'ours',
    man: 'ours',
  });
  const root = await fs.realpath(join(at.places.libDir, 'current'));
  assert.equal(await fs.readFile(join(root, 'dist/main.js'), 'utf8'), 'one');
  const modes = async (path: string) => (await fs.stat(join(root, path))).mode & 0o777;
  assert.equal(await modes('dist/main.js'), 0o644);
  assert.equal(await modes('bin/node'), 0o755);
  assert.equal(await modes('dist/guest/start.sh'), 0o755);
  const launcher = await fs.readFile(at.places.linkPath, 'utf8');
  assert.ok(launcher.includes(`exec ${root}/bin/node ${root}/dist/main.js\n`));
});

test('a single-file program is installed as that file', async () => {
  await using at = await scene();
  const single = { ...at.program, bundleDir: undefined, nodeVersion: 'build one' };
  const installer = createInstaller(single, at.places);
  await installer.install();
  const { wanted } = await installer.state();
  assert.deepEqual(await installer.state(), {
    wanted,
    installed: wanted,
    link: 'ours',
    man: 'ours',
  });
  assert.deepEqual(await fs.readdir(join(at.places.libDir, 'current/bin')), ['coi']);
  assert.deepEqual(
    await fs.readFile(at.places.linkPath),
    await fs.readFile(join(at.source, 'node')),
  );
  assert.equal((await fs.stat(at.places.linkPath)).mode & 0o777, 0o755);
  const next = createInstaller({ ...single, nodeVersion: 'build two' }, at.places);
  assert.notEqual((await next.state()).wanted, wanted);
});

test('installing the same program again changes nothing', async () => {
  await using at = await scene();
  await at.installer.install();
  const before = await fs.stat(join(at.places.libDir, 'current/dist/main.js'));
  await at.installer.install();
  const after = await fs.stat(join(at.places.libDir, 'current/dist/main.js'));
  assert.equal(after.ino, before.ino);
});

test('any change of content creates another version, and the old one is removed', async () => {
  await using at = await scene();
  await at.installer.install();
  const [first] = await versions(at.places.libDir);
  await fs.writeFile(join(at.source, 'dist/main.js'), 'two');
  const between = await at.installer.state();
  assert.equal(between.installed, first);
  assert.notEqual(between.wanted, first);
  await at.installer.install();
  assert.deepEqual(await versions(at.places.libDir), [between.wanted]);
  const newer = createInstaller({ ...at.program, nodeVersion: 'v24.0.1' }, at.places);
  assert.notEqual((await newer.state()).wanted, between.wanted);
});

test('a version that a process runs stays until the process ends', async () => {
  await using at = await scene();
  await at.installer.install();
  const [first] = await versions(at.places.libDir);
  const running = spawn(join(at.places.libDir, `${first}/bin/node`), {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  await once(running, 'spawn');
  await fs.writeFile(join(at.source, 'dist/main.js'), 'two');
  await at.installer.install();
  assert.equal((await versions(at.places.libDir)).length, 2);
  running.stdin.end();
  await once(running, 'exit');
  await fs.writeFile(join(at.source, 'dist/main.js'), 'three');
  await at.installer.install();
  assert.equal((await versions(at.places.libDir)).length, 1);
});

test('leftovers of an interrupted installation are removed, and half a version does not count', async () => {
  await using at = await scene();
  const { wanted } = await at.installer.state();
  await fs.mkdir(join(at.places.libDir, '.new-1-abc/dist'), { recursive: true });
  await fs.mkdir(join(at.places.libDir, wanted, 'dist'), { recursive: true });
  await fs.symlink(wanted, join(at.places.libDir, 'current'));
  assert.equal((await at.installer.state()).installed, undefined);
  await at.installer.install();
  assert.equal((await at.installer.state()).installed, wanted);
  assert.deepEqual(await versions(at.places.libDir), [wanted]);
});

test('another program of the same name is set aside', async () => {
  await using at = await scene();
  await fs.mkdir(join(at.dir, 'bin'));
  await fs.writeFile(at.places.linkPath, 'the predecessor');
  assert.equal((await at.installer.state()).link, 'other');
  await at.installer.install();
  assert.equal((await at.installer.state()).link, 'ours');
  assert.equal(await fs.readFile(`${at.places.linkPath}.before-setup`, 'utf8'), 'the predecessor');
});

test('a link in the program is refused, since it could include any host file', async () => {
  await using at = await scene();
  await fs.symlink('/etc/shadow', join(at.source, 'dist/link.js'));
  await assert.rejects(at.installer.install(), /neither a file nor a directory/);
  await assert.rejects(fs.stat(at.places.libDir), { code: 'ENOENT' });
});

test('removing restores what was there before, and can be repeated', async () => {
  await using at = await scene();
  const { libDir, linkPath, manPath } = at.places;
  const exists = async (path: string) =>
    (await fs.lstat(path).catch(() => undefined)) !== undefined;
  await fs.mkdir(join(at.dir, 'bin'));
  // In npm's layout, in the same directory.
  await fs.writeFile(join(at.dir, 'npm'), '');
  await fs.symlink('../npm', linkPath);
  await at.installer.install();
  assert.match(await fs.readlink(linkPath), /current\/bin\/coi$/);
  assert.equal((await at.installer.state()).man, 'ours');
  for (const _ of ['once', 'again']) {
    await at.installer.remove('../npm');
    assert.equal(await fs.readlink(linkPath), '../npm');
    assert.deepEqual([await exists(libDir), await exists(manPath)], [false, false]);
  }
  // That package is gone meanwhile.
  await at.installer.install();
  await fs.rm(join(at.dir, 'npm'));
  await at.installer.remove('../npm');
  assert.equal(await exists(linkPath), false);
  // A file that was set aside is restored; a man page of another package stays.
  await fs.writeFile(linkPath, 'mine');
  await fs.writeFile(manPath, 'page');
  await at.installer.install();
  assert.equal((await at.installer.state()).man, 'other');
  await at.installer.remove(undefined);
  assert.equal(await fs.readFile(linkPath, 'utf8'), 'mine');
  assert.equal(await fs.readFile(manPath, 'utf8'), 'page');
});
