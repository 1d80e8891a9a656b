// coi image and custom builds through the built program, based on the test image.
import assert from 'node:assert/strict';
import { chown, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { untilGone } from '../bed/until.ts';

const timeout = 180_000;
let bed: Bed;
/** Prefix of image names in this run. */
let names: string;

before(async () => {
  bed = await makeBed();
  names = `${bed.prefix}img`;
});
after(async () => {
  for (const { fingerprint, aliases } of (await bed?.incus.images()) ?? []) {
    if (aliases.some(({ name }) => name.startsWith(names)))
      await (await bed.incus.deleteImage(fingerprint)).wait();
  }
  await bed?.[Symbol.asyncDispose]();
});

async function writeScript(name: string, text: string): Promise<void> {
  const path = join(bed.workspace.path, name);
  await writeFile(path, text);
  await chown(path, bed.user.uid, bed.user.gid);
}

test('build custom makes an image with a script, says if it exists already, and leaves no container', {
  timeout,
}, async () => {
  await writeScript('make.sh', 'echo made >/etc/made; id -u >>/etc/made; cat /etc/made\n');
  const build = ['build', 'custom', names, '--script', 'make.sh', '--base', bed.image];
  const first = await bed.coi([...build, '--compression', 'none']);
  assert.equal(first.status, 0, first.stderr);
  assert.match(
    first.stdout,
    new RegExp(`^Image '${names}' built successfully!\n +Version: +${names}-\\d{8}-\\d{6}\n`),
  );
  assert.deepEqual(await bed.instances(), []);
  const again = await bed.coi(build);
  assert.match(again.stdout, /already exists\. Use --force/);
  await writeScript('make.sh', 'echo other\n');
  assert.match((await bed.coi(build)).stdout, /built from a different recipe/);
  const ran = await bed.coi(['run', '--image', names, '--', 'cat', '/etc/made']);
  assert.equal(ran.stdout, 'made\n0\n', ran.stderr);
  // Containers that `coi run` leaves for Incus to delete.
  for (const name of await bed.instances()) await untilGone(bed.incus, name, 30_000);
});

test('a failing build script names its log and leaves neither image nor container', {
  timeout,
}, async () => {
  await writeScript('fails.sh', '#!/bin/bash\necho "the reason"\nexit 3\n');
  const result = await bed.coi([
    'build',
    'custom',
    `${names}-bad`,
    '--script',
    'fails.sh',
    '--base',
    bed.image,
  ]);
  assert.equal(result.status, 1);
  assert.match(result.stderr, /ended with status 3\nHint: See its output in .*\.log/);
  assert.equal((await bed.coi(['image', 'exists', `${names}-bad`])).status, 1);
  assert.deepEqual(await bed.instances(), []);
  const missing = await bed.coi([
    'build',
    'custom',
    'x',
    '--script',
    'none.sh',
    '--base',
    bed.image,
  ]);
  assert.match(missing.stderr, /does not exist/);
  const noBase = await bed.coi([
    'build',
    'custom',
    'x',
    '--script',
    'fails.sh',
    '--base',
    `${names}-no`,
  ]);
  assert.match(noBase.stderr, /not found/);
});

test("build --profile makes the profile's image from its commands", { timeout }, async () => {
  const directory = join(bed.user.home, '.coi/profiles/web');
  await mkdir(directory, { recursive: true });
  await writeFile(
    join(directory, 'config.toml'),
    `[container]\nimage = "${names}-web"\n[container.build]\nbase = "${bed.image}"\ncompression = "none"\ncommands = ["echo one >/etc/one", "false || echo two >/etc/two"]\n`,
  );
  for (const path of ['.coi', '.coi/profiles', '.coi/profiles/web'])
    await chown(join(bed.user.home, path), bed.user.uid, bed.user.gid);
  const result = await bed.coi(['build', '--profile', 'web']);
  assert.equal(result.status, 0, result.stderr);
  const ran = await bed.coi(['run', '--profile', 'web', '--', 'cat', '/etc/one', '/etc/two']);
  assert.equal(ran.stdout, 'one\ntwo\n', ran.stderr);
});

test("a build does not replace another project's image of the same name, and a moved project keeps its own", {
  timeout,
}, async () => {
  const image = `${names}-shared`;
  const project = async (name: string, text: string) => {
    const path = join(bed.user.home, name);
    await mkdir(join(path, '.coi'), { recursive: true });
    await writeFile(
      join(path, '.coi/config.toml'),
      `[container]\nimage = "${image}"\n[container.build]\nbase = "${bed.image}"\ncompression = "none"\ncommands = ["echo ${text} >/etc/whose"]\n`,
    );
    for (const one of [path, join(path, '.coi')]) await chown(one, bed.user.uid, bed.user.gid);
    return path;
  };
  const [one, other] = [await project('one', 'one'), await project('other', 'other')];
  const build = (cwd: string, ...args: string[]) => bed.coi(['build', ...args], { cwd });
  const built = await build(one);
  assert.equal(built.status, 0, built.stderr);
  const first = (await bed.incus.imageAlias(image))?.target;
  const seen = await build(other);
  assert.match(seen.stdout, /already exists, built from a different recipe/, seen.stderr);
  const refused = await build(other, '--force');
  assert.equal(refused.status, 1);
  assert.match(
    refused.stderr,
    new RegExp(`^Error: the image '${image}' was built for "${one}"$`, 'm'),
  );
  assert.match(refused.stderr, new RegExp(`^Hint: .*coi image delete ${image}`, 'm'));
  // With --all the refusal comes before any build.
  const profile = join(other, '.coi/profiles/second');
  await mkdir(profile, { recursive: true });
  await writeFile(join(profile, 'config.toml'), `inherits = "default"\n`);
  for (const path of ['.coi/profiles', '.coi/profiles/second'])
    await chown(join(other, path), bed.user.uid, bed.user.gid);
  const all = await build(other, '--all', '--force');
  assert.equal(all.status, 1);
  assert.match(all.stderr, new RegExp(`^Error: the image '${image}' was built for "${one}"$`, 'm'));
  assert.doesNotMatch(all.stderr, /Building/);
  assert.equal((await bed.incus.imageAlias(image))?.target, first);
  assert.deepEqual(await bed.instances(), [], 'nothing was started for it');
  const again = await build(one, '--force');
  assert.equal(again.status, 0, again.stderr);
  const moved = join(bed.user.home, 'moved');
  await rename(one, moved);
  const after = await build(moved, '--force');
  assert.equal(after.status, 0, after.stderr);
  assert.match((await build(other, '--force')).stderr, new RegExp(`built for "${moved}"`));
  // The command from the hint.
  assert.equal((await bed.coi(['image', 'delete', image])).status, 0);
  assert.equal((await build(other)).status, 0);
});

test('no project can change the default image or take its name or versions', {
  timeout,
}, async () => {
  const path = join(bed.user.home, 'greedy');
  await mkdir(join(path, '.coi'), { recursive: true });
  for (const one of [path, join(path, '.coi')]) await chown(one, bed.user.uid, bed.user.gid);
  const file = join(path, '.coi/config.toml');
  const before = await bed.incus.imageAlias('coi-default');
  for (const image of ['coi-default', 'coi-default-20990101-000000']) {
    await writeFile(
      file,
      `[container]\nimage = "${image}"\n[container.build]\ncommands = ["true"]\n`,
    );
    const refused = await bed.coi(['build', '--force'], { cwd: path });
    assert.equal(refused.status, 1, refused.stdout);
    assert.match(refused.stderr, new RegExp(`a build script cannot make the image '${image}'`));
  }
  assert.deepEqual(await bed.incus.imageAlias('coi-default'), before);
  await writeFile(file, '[container.build]\nagents = ["pi"]\n');
  const result = await bed.coi(['config', 'show', 'container.build.agents'], { cwd: path });
  assert.match(result.stdout, /claude/);
  assert.match(result.stderr, /agents is ignored: only your own/);
});

test('publish makes an image of a container and removes it; info, list, delete and exists agree', {
  timeout,
}, async () => {
  const [container, alias] = [`${bed.prefix}pub`, `${names}-pub`];
  await bed.coi(['container', 'launch', bed.image, container]);
  await bed.coi(['container', 'exec', container, '--', 'touch', '/etc/published']);
  const result = await bed.coi([
    'image',
    'publish',
    container,
    alias,
    '--description',
    'mine',
    '--compression',
    'none',
  ]);
  assert.equal(result.status, 0, result.stderr);
  const { fingerprint, alias: named } = JSON.parse(result.stdout);
  assert.equal(named, alias);
  assert.equal((await bed.coi(['container', 'exists', container])).status, 1);
  assert.equal((await bed.coi(['image', 'exists', alias])).status, 0);
  assert.match(
    (await bed.coi(['image', 'info', alias])).stdout,
    new RegExp(`^Fingerprint: ${fingerprint}$`, 'm'),
  );
  const rows = JSON.parse(
    (await bed.coi(['image', 'list', '--format', 'json', '--prefix', alias])).stdout,
  );
  assert.deepEqual(
    rows.map((row: { aliases: string[] }) => row.aliases),
    [[alias]],
  );
  assert.deepEqual(Object.keys(rows[0]), ['fingerprint', 'aliases', 'size', 'created_at']);
  assert.match(
    (await bed.coi(['images', '--all'])).stdout,
    /^Available Images:\n\nCOI Images:\n {2}[✓✗] coi-default[\s\S]*All Local Images:\nALIAS +SIZE +UPLOAD DATE\n/,
  );
  assert.equal(
    (await bed.coi(['image', 'list', '--prefix', 'no-such'])).stdout,
    "No images found with prefix 'no-such'\n",
  );
  assert.equal((await bed.coi(['image', 'delete', alias])).status, 0);
  assert.equal((await bed.coi(['image', 'exists', alias])).status, 1);
  assert.equal((await bed.coi(['image', 'delete', alias])).status, 1);
});

test('image cleanup keeps the newest versions', { timeout }, async () => {
  const { target } = (await bed.incus.imageAlias(names)) ?? {};
  assert.ok(target);
  for (const flags of [[], ['--keep', '0'], ['--keep', 'x']])
    assert.equal((await bed.coi(['image', 'cleanup', names, ...flags])).status, 2);
  const result = await bed.coi(['image', 'cleanup', `${names}-web-`, '--keep', '1']);
  assert.equal(result.stdout, 'Deleted 0 image(s)\nKept 1 image(s)\n', result.stderr);
});
