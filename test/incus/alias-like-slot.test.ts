// A project's alias that looks like another project's slot name: new ones are refused, and an existing ambiguity
// ends neither session.
import assert from 'node:assert/strict';
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';

/** A user's directory whose project has that alias. */
async function project(bed: Bed, alias: string): Promise<string> {
  const path = join(bed.user.home, `of-${alias}`);
  await mkdir(join(path, '.coi'), { recursive: true });
  await writeFile(join(path, '.coi/config.toml'), `[container]\nalias = "${alias}"\n`);
  for (const one of [path, join(path, '.coi')]) await chown(one, bed.user.uid, bed.user.gid);
  return path;
}

async function startSession(bed: Bed, cwd: string, slot: string): Promise<string> {
  const args = ['shell', '--background', '--json', '--slot', slot, '--image', bed.image];
  const result = await bed.coi(args, { cwd });
  assert.equal(result.status, 0, result.stderr);
  return JSON.parse(result.stdout).container;
}

test("an alias that equals another project's slot name is refused; if both exist, neither is ended by it", {
  timeout: 180_000,
}, async () => {
  await using bed = await makeBed();
  const [shop, other] = [await project(bed, 'shop'), await project(bed, 'shop-2')];
  const registry = join(bed.user.home, '.coi/aliases.json');
  const second = await startSession(bed, shop, '2');
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
  // Like a version without that rule would leave it.
  const both = { shop: { workspace: shop }, 'shop-2': { workspace: other } };
  await writeFile(registry, JSON.stringify(both));
  const alias = await startSession(bed, other, '1');
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
        `"shop-2" is both an alias and a slot of another alias: ${alias} (alias shop-2 of ${other}), ${second} (alias shop, slot 2 of ${shop})`,
      ),
      refused.stderr,
    );
    assert.match(refused.stderr, /^Hint: Use the name of the container\.$/m);
  }
  assert.deepEqual(await bed.instances(), [alias, second].toSorted());
  const killed = await bed.coi(['kill', second]);
  assert.equal(killed.status, 0, killed.stderr);
  // Now it is unambiguous.
  const rest = await bed.coi(['kill', 'shop-2']);
  assert.equal(rest.status, 0, rest.stderr);
  assert.deepEqual(await bed.instances(), []);
});
