// Builds that fail or are interrupted leave nothing, and existing images are unchanged. A failing script is
// tested in custom-image.test.ts.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { arch as nodeArchitecture } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CoiError } from '../../src/errors.ts';
import { removeOwnDirectories } from '../../src/host/fs/meta/own-directories.ts';
import { guestFiles, runnerCommand } from '../../src/host/install/resources.ts';
import { readProgram } from '../../src/host/process/program.ts';
import { isAlive, ownPid, runCommand } from '../../src/host/process/run-command.ts';
import { type BuildDependencies, buildImage, type ImageSpec } from '../../src/image/build.ts';
import { architecture, type GuestFile } from '../../src/image/recipe.ts';
import { sweepDeadBuilds } from '../../src/image/sweep.ts';
import type { Incus } from '../../src/incus/client.ts';
import { keys } from '../../src/instance-keys.ts';
import { testImage } from '../bed/bed.ts';
import { openRealIncus, removeInstance } from '../bed/incus.ts';
import { newPrefix } from '../bed/prefix.ts';

const limit = { timeout: 300_000 };
const incus = await openRealIncus();
const temporary = await mkdtemp('/var/tmp/coit-build-');
const alias = `${newPrefix()}image`;
after(async () => {
  for (const { fingerprint, aliases } of await incus.images())
    if (aliases.some(({ name }) => name.startsWith(alias)))
      await (await incus.deleteImage(fingerprint)).wait();
  if (await incus.imageAlias(alias)) await incus.deleteImageAlias(alias);
  incus.close();
  await rm(temporary, { recursive: true });
});

/** Only Debian's essential packages: leftovers do not depend on how much is installed. */
const order: ImageSpec = {
  alias,
  recipe: { variant: 'test', packages: [], npmPackages: [], steps: [] },
  hash: 'none',
  arch: architecture(nodeArchitecture()),
  compression: 'none',
};

async function buildContext(more: Partial<BuildDependencies>): Promise<BuildDependencies> {
  return {
    incus,
    run: runCommand,
    read: readProgram,
    pid: ownPid(),
    temporary,
    guest: guestFiles(),
    runner: runnerCommand('/'),
    now: () => new Date(),
    elapsedMs: () => performance.now(),
    log: () => undefined,
    report: () => undefined,
    signal: new AbortController().signal,
    ...more,
  };
}

/** The guest files with a shorter first stage: dpkg takes half a minute, and the end does not depend on it. */
function guestWith(bootstrap: string): GuestFile[] {
  const files = guestFiles();
  assert.ok(files.some(({ path }) => path === 'bootstrap.sh'));
  return files.map((file) =>
    file.path === 'bootstrap.sh' ? { ...file, content: Buffer.from(bootstrap) } : file,
  );
}

/** Names of all objects that a build of this process creates. */
async function listBuildObjects(): Promise<string[]> {
  const mark = String(ownPid());
  const [instances, images, files] = await Promise.all([
    incus.instances(),
    incus.images(),
    readdir(temporary),
  ]);
  return [
    ...instances.filter(({ config }) => config[keys.build] === mark).map(({ name }) => name),
    ...images
      .filter(({ properties }) => properties[keys.build] === mark)
      .map(({ fingerprint }) => fingerprint),
    ...files,
  ];
}

test('a build that is interrupted while its container works leaves nothing', limit, async () => {
  const stop = new AbortController();
  const reason = new CoiError('cancelled', 'interrupted by the test');
  let seen: string[] = [];
  const log = async (line: string) => {
    if (line !== 'Unpacking coreutils' || seen.length > 0) return;
    seen = ['asking'];
    seen = await listBuildObjects();
    stop.abort(reason);
  };
  const guest = guestWith('echo Unpacking coreutils; sleep 100');
  const built = buildImage(
    await buildContext({ guest, log: (line) => void log(line), signal: stop.signal }),
    order,
  );
  await assert.rejects(built, (error) => error === reason);
  // There was something to clean up: a container, an image and a directory.
  assert.equal(seen.length, 3);
  assert.deepEqual(await listBuildObjects(), []);
  assert.equal(await incus.imageAlias(alias), undefined);
});

test(
  'a build that fails at its last step keeps the alias on the previous image',
  limit,
  async () => {
    const before = await incus.imageAlias(testImage);
    assert.ok(before);
    await incus.setImageAlias(alias, before.target);
    const broken: Incus = {
      ...incus,
      setImageAlias: async (name, fingerprint, ...rest) => {
        await incus.setImageAlias(name, fingerprint, ...rest);
        if (name === alias && fingerprint !== before.target)
          throw new Error('the last call is lost');
      },
    };
    await assert.rejects(
      buildImage(await buildContext({ incus: broken, guest: guestWith('exit 0') }), order),
      /the last call is lost/,
    );
    assert.deepEqual(await listBuildObjects(), []);
    assert.equal((await incus.imageAlias(alias))?.target, before.target);
    await incus.deleteImageAlias(alias);
  },
);

test(
  'leftovers of a killed build are removed by the next one, those of a live build stay',
  limit,
  async () => {
    const dead = spawnSync('true').pid;
    const living = ownPid();
    const base = await incus.imageAlias(testImage);
    assert.ok(base);
    const make = async (pid: number) => {
      const name = `coi-build-${newPrefix()}${pid}`;
      const config = { [keys.build]: String(pid) };
      const source = { type: 'image', fingerprint: base.target } as const;
      await (
        await incus.createInstance({
          name,
          type: 'container',
          profiles: ['default'],
          config,
          source,
        })
      ).wait();
      await mkdir(join(temporary, `coi-build-${pid}-x`));
      return name;
    };
    const names = [await make(dead), await make(living)];
    try {
      const uid = process.getuid?.() ?? 0;
      const sweep = (isMeant: (name: string) => boolean) =>
        removeOwnDirectories(temporary, uid, isMeant);
      await sweepDeadBuilds(incus, sweep, isAlive);
      const left = (await incus.instanceNames()).filter((name) => names.includes(name));
      assert.deepEqual(left, [names[1]]);
      assert.deepEqual(await readdir(temporary), [`coi-build-${living}-x`]);
    } finally {
      for (const name of names) await removeInstance(incus, name);
    }
  },
);
