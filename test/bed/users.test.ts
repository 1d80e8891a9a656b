// Needs root, as all tests on the real Incus do.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { runCommand } from './command.ts';
import { makeUser, userOfUid } from './users.ts';

test('a temporary user is in incus-admin, has a home of its own, and leaves nothing', async () => {
  const user = await makeUser();
  const said = await user.run(['sh', '-c', 'id -un; id -Gn; pwd; echo "$HOME"; env']);
  const [name, groups, directory, home] = said.stdout.split('\n');
  assert.equal(name, user.name);
  assert.match(groups ?? '', /\bincus-admin\b/);
  assert.deepEqual([directory, home], [user.home, user.home]);
  assert.doesNotMatch(
    said.stdout,
    /npm_|INCUS|COI_/,
    'the environment of the test run is not inherited',
  );
  await user.remove();
  assert.equal(existsSync(user.home), false);
  assert.notEqual((await runCommand(['id', user.name])).status, 0);
});

test('the user of a uid that is taken is borrowed and stays', async () => {
  const owner = await makeUser();
  const borrowed = await userOfUid(owner.uid);
  assert.equal(borrowed.name, owner.name);
  assert.notEqual(borrowed.home, owner.home);
  await borrowed.remove();
  assert.equal((await owner.run(['id', '-un'])).stdout.trim(), owner.name);
  await owner.remove();
});

test('an account outside incus-admin may not open the Incus socket', async () => {
  for (const incusAdmin of [true, false]) {
    const user = await makeUser({ incusAdmin });
    const said = await user.run(['incus', 'list']);
    assert.equal(said.status === 0, incusAdmin, said.stderr);
    await user.remove();
  }
});
