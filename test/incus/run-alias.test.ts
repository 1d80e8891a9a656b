// `coi run` and the alias of its workspace: registered and checked as by `coi shell`.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeBed } from '../bed/bed.ts';

test("coi run registers its alias, sets it on the container, and refuses another workspace's alias", {
  timeout: 120_000,
}, async () => {
  await using bed = await makeBed();
  const registry = join(bed.user.home, '.coi/aliases.json');
  const project = join(bed.workspace.path, '.coi');
  mkdirSync(project);
  await writeFile(join(project, 'config.toml'), '[container]\nalias = "web"\n');
  const run = () => bed.coi(['run', '--image', bed.image, '--persistent', '--', 'true']);
  const ran = await run();
  assert.equal(ran.status, 0, ran.stderr);
  assert.deepEqual(JSON.parse(await readFile(registry, 'utf8')), {
    web: { workspace: bed.workspace.path },
  });
  const [name = ''] = await bed.instances();
  const found = await bed.incus.instance(name);
  assert.equal(found?.instance.config['user.coi.alias'], 'web');
  await writeFile(registry, JSON.stringify({ web: { workspace: '/elsewhere' } }));
  const refused = await run();
  assert.equal(refused.status, 125);
  assert.match(refused.stderr, /^Error: alias 'web' belongs to \/elsewhere$/m);
  assert.deepEqual(await bed.instances(), [name], 'nothing was started');
});
