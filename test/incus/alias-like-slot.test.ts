// An alias that a project chose and that looks like a slot of another project's: refused for new ones, and where a word
// means both nothing is ended.
import assert from 'node:assert/strict';
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';

/** A directory of the user's whose project calls itself so. */
async function project(bed: Bed, alias: string): Promise<string> {
  const path = join(bed.user.home, `of-${alias}`);
  await mkdir(join(path, '.coi'), { recursive: true });
  await writeFile(join(path, '.coi/config.toml'), `[container]\nalias = "${alias}"\n`);
  for (const one of [path, join(path, '.coi')]) await chown(one, bed.user.uid, bed.user.gid);
  return path;
}

async function started(bed: Bed, cwd: string, slot: string): Promise<string> {
  const args = ['shell', '--background', '--json', '--slot', slot, '--image', bed.image];
  const said = await bed.coi(args, { cwd });
  assert.equal(said.status, 0, said.stderr);
  return JSON.parse(said.stdout).container;
}

test('a project takes no alias that means a slot of another; where both are there already, nothing is ended by it', {
  timeout: 180_000,
}, async () => {
  await using bed = await makeBed();
  const [shop, other] = [await project(bed, 'shop'), await project(bed, 'shop-2')];
  const registry = join(bed.user.home, '.coi/aliases.json');
  const second = await started(bed, shop, '2');
  const registered = await readFile(registry, 'utf8');
  for (const args of [
    ['shell', '--background'],
    ['run', '--', 'true'],
  ]) {
    const refused = await bed.coi([...args.slice(0, 1), '--image', bed.image, ...args.slice(1)], {
      cwd: other,
    });
    assert.notEqual(refused.status, 0);
    assert.match(
      refused.stderr,
      new RegExp(`^Error: alias 'shop-2' already means slot 2 of 'shop', .* ${shop}$`, 'm'),
    );
    assert.match(refused.stderr, /^Hint: Choose another \[container\] alias/m);
  }
  assert.equal(await readFile(registry, 'utf8'), registered);
  assert.deepEqual(await bed.instances(), [second]);
  // As a version without that rule has left it.
  const both = { shop: { workspace: shop }, 'shop-2': { workspace: other } };
  await writeFile(registry, JSON.stringify(both));
  const alias = await started(bed, other, '1');
  for (const args of [
    ['kill', 'shop-2'],
    ['shutdown', 'shop-2'],
    ['kill', '--force', 'shop', 'shop-2'],
    ['container', 'stop', '--force', 'shop-2'],
    ['container', 'delete', '--force', 'shop-2'],
  ]) {
    const refused = await bed.coi(args);
    assert.equal(refused.status, 1, args.join(' '));
    assert.ok(
      refused.stderr.includes(
        `"shop-2" is an alias, and a slot of another alias: ${alias} (alias shop-2 of ${other}), ${second} (alias shop, slot 2 of ${shop})`,
      ),
      refused.stderr,
    );
    assert.match(refused.stderr, /^Hint: Say which by the name of the container\.$/m);
  }
  assert.deepEqual(await bed.instances(), [alias, second].toSorted());
  const killed = await bed.coi(['kill', second]);
  assert.equal(killed.status, 0, killed.stderr);
  // Now it means one only.
  const rest = await bed.coi(['kill', 'shop-2']);
  assert.equal(rest.status, 0, rest.stderr);
  assert.deepEqual(await bed.instances(), []);
});
