// coi hosts, and sessions with their own names, through the built program.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeBed } from '../bed/bed.ts';

const timeout = 120_000;

test('coi hosts adds and removes a name and its network permit; a named session has its own hash', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const directory = join(bed.user.home, '.coi');
  await mkdir(directory);
  await writeFile(join(directory, 'config.toml'), '[container]\nsession_name = "my-work"\n');
  await chown(directory, bed.user.uid, bed.user.gid);
  const started = await bed.coi(['shell', '--background', '--image', bed.image]);
  assert.equal(started.status, 0, started.stderr);
  const [name = ''] = await bed.instances();
  const hash = createHash('sha256').update('session-name:my-work').digest('hex').slice(0, 8);
  assert.equal(name, `${bed.prefix}${hash}-1`);
  assert.equal((await bed.coi(['hosts', 'list'])).stdout, 'No hosts\n');
  const added = await bed.coi(['hosts', 'add', '10.123.0.9', 'db', 'db.local', '--ports', '5432']);
  assert.equal(added.status, 0, added.stderr);
  const found = await bed.coi(['container', 'exec', name, '--', 'getent', 'hosts', 'db.local']);
  assert.match(found.stdout, /^10\.123\.0\.9 +db/);
  const why = await bed.coi(['network', 'why', '10.123.0.9:5432']);
  assert.equal(why.status, 0, why.stdout + why.stderr);
  assert.equal((await bed.coi(['network', 'why', '10.123.0.9:80'])).status, 1);
  assert.deepEqual(JSON.parse((await bed.coi(['hosts', 'list', '--json'])).stdout), [
    { ip: '10.123.0.9', hostnames: ['db', 'db.local'] },
  ]);
  assert.equal((await bed.coi(['hosts', 'remove', 'db', 'db.local'])).status, 0);
  assert.equal((await bed.coi(['hosts', 'remove', 'db'])).status, 1);
  assert.equal((await bed.coi(['hosts', 'add', 'nonsense', 'x'])).status, 2);
});
