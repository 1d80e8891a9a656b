// Builds on images that this host does not have: from an Incus remote, fetched only after approval.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { mustRun } from '../bed/command.ts';
import { type ImageServer, startImageServer } from '../bed/image-server.ts';
import { untilGone } from '../bed/until.ts';

const timeout = 300_000;
let bed: Bed;
let server: ImageServer;
let directory: string;
/** The remote's name, and a prefix for objects made here. */
let remote: string;

before(
  async () => {
    bed = await makeBed();
    remote = `${bed.prefix}far`;
    directory = await mkdtemp(join(tmpdir(), 'coit-far-'));
    server = await startImageServer(await exported());
    await server.addTo(bed.user, remote);
  },
  { timeout },
);
after(async () => {
  for (const { fingerprint, aliases } of (await bed?.incus.images()) ?? [])
    if (aliases.some(({ name }) => name.startsWith(bed.prefix)))
      await (await bed.incus.deleteImage(fingerprint)).wait();
  await server?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
  await bed?.[Symbol.asyncDispose]();
});

/** An image that this host does not have: the test image, published again, exported and deleted. */
async function exported(): Promise<string> {
  const { incus } = bed;
  const name = `${bed.prefix}source`;
  const source = { type: 'image', alias: bed.image } as const;
  const root = { type: 'disk', path: '/', pool: (await incus.storagePools())[0]?.name ?? '' };
  const request = { name, type: 'container', source, profiles: [], config: {}, devices: { root } };
  await (await incus.createInstance({ ...request, type: 'container' })).wait();
  const published = await incus.publishImage({
    instance: name,
    properties: { os: remote },
    compression: 'none',
  });
  const fingerprint = String((await published.wait()).metadata?.['fingerprint']);
  await (await incus.deleteInstance(name)).wait();
  const path = join(directory, 'made');
  await mustRun(['incus', '--quiet', 'image', 'export', `local:${fingerprint}`, path]);
  await (await incus.deleteImage(fingerprint)).wait();
  return `${path}.tar`;
}

async function project(base: string): Promise<string> {
  const path = join(bed.workspace.path, '.coi/config.toml');
  await mkdir(join(bed.workspace.path, '.coi'), { recursive: true });
  const build = `[container.build]\nbase = "${base}"\ncommands = ["echo ours >/etc/ours"]\ncompression = "none"\n`;
  await writeFile(path, `[container]\nimage = "${bed.prefix}own"\n${build}`);
  return path;
}

test('an interrupt ends the image download in Incus and leaves nothing', {
  timeout,
}, async () => {
  const script = join(bed.workspace.path, 'make.sh');
  await writeFile(script, 'true\n');
  const download = server.holdDownload();
  const base = `${remote}:made/1`;
  const building = bed.startCoi([
    ...['build', 'custom', `${bed.prefix}stopped`, '--script', script, '--base', base],
  ]);
  await download.began;
  building.kill('SIGINT');
  const output = await building.result;
  assert.equal(output.status, 130, output.stderr);
  await download.ended;
  assert.equal(await bed.incus.imageAlias(base), undefined);
  server.requestedPaths.length = 0;
});

test('a remote image is fetched once after approval, kept by its name, and can be built on', {
  timeout,
}, async () => {
  const base = `${remote}:made/1`;
  const path = await project(base);
  const early = await bed.coi(['build']);
  assert.equal(early.status, 1);
  assert.match(
    early.stderr,
    new RegExp(`^Error: ${path}:4: .*"${base}" waits for your approval`, 'm'),
  );
  assert.deepEqual(server.requestedPaths, [], 'nothing is asked of the server before');
  assert.equal((await bed.coi(['trust', '--yes'])).status, 0);
  const built = await bed.coi(['build']);
  assert.equal(built.status, 0, built.stderr);
  assert.equal((await bed.incus.imageAlias(base))?.target, server.fingerprint);
  const own = await bed.incus.imageAlias(`${bed.prefix}own`);
  const image = await bed.incus.image(own?.target ?? '');
  assert.equal(image?.properties['user.coi.base'], server.fingerprint);
  const ran = await bed.coi(['run', '--', 'cat', '/etc/ours']);
  assert.equal(ran.stdout, 'ours\n', ran.stderr);
  for (const name of await bed.instances()) await untilGone(bed.incus, name, 30_000);

  // From here on without the server: the local copy is sufficient.
  await server.close();
  assert.match((await bed.coi(['build'])).stdout, /already exists/);
  const again = await bed.coi(['build', '--force']);
  assert.equal(again.status, 0, again.stderr);
  assert.match(again.stdout, /built successfully/);
});

test('an image is found by a fingerprint prefix', { timeout }, async () => {
  const script = join(bed.workspace.path, 'make.sh');
  await writeFile(script, 'true\n');
  const base = (await bed.incus.imageAlias(bed.image))?.target.slice(0, 12) ?? '';
  const build = ['build', 'custom', `${bed.prefix}other`, '--script', script, '--base', base];
  const output = await bed.coi(build);
  assert.equal(output.status, 0, output.stderr);
  assert.match((await bed.coi(build)).stdout, /already exists/);
  const missing = await bed.coi(build.with(-1, '0123456789ab'));
  assert.match(missing.stderr, /^Error: image '0123456789ab' not found$/m);
});

test('an image that cannot be fetched is an error of one sentence with alternatives, and leaves nothing', {
  timeout,
}, async () => {
  const script = join(bed.workspace.path, 'make.sh');
  await writeFile(script, 'true\n');
  const build = ['build', 'custom', `${bed.prefix}none`, '--script', script, '--base'];
  for (const [base, why] of [
    [`${remote}:other/1`, "couldn't be found"],
    [`${remote}-shut:made/1`, 'connection refused'],
    ['nowhere:debian/13', "doesn't exist"],
  ] as const) {
    const output = await bed.coi([...build, base]);
    assert.equal(output.status, 1);
    assert.match(
      output.stderr,
      new RegExp(`^Error: image "${base}" cannot be fetched: .*${why}`, 'm'),
    );
    assert.match(
      output.stderr,
      new RegExp(`^Hint: .*incus image import FILE --alias ${base}`, 'm'),
    );
  }
  const launched = await bed.coi(['container', 'launch', 'nowhere:debian/13', `${bed.prefix}x`]);
  assert.match(launched.stderr, /cannot be fetched/);
  const started = await bed.coi(['run', '--image', 'images:debian/13', '--', 'true']);
  assert.match(started.stderr, /^Hint: .*base = "images:debian\/13" under \[container\.build\]/m);
  assert.deepEqual(await bed.instances(), []);
});
