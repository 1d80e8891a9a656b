// Needs root, as all tests on the real Incus do.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, watch } from 'node:fs';
import { test } from 'node:test';
import { runCommand } from './command.ts';
import { makeUser, userOfUid } from './users.ts';

test('a temporary user is in incus-admin, has a home of its own, and leaves the account to the next one, nothing else', async () => {
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
  const watcher = watch(user.home);
  const left = user.start(['sh', '-c', 'touch up; exec sleep 100']);
  // Until then it may be root's still.
  await once(watcher, 'change');
  watcher.close();
  await user.remove();
  assert.equal((await left.result).status, 128 + 9);
  assert.equal(existsSync(user.home), false);
  const next = await makeUser();
  assert.equal(next.name, user.name);
  assert.deepEqual(readdirSync(next.home), []);
  await next.remove();
});

test('a process takes its accounts away when it ends', async () => {
  const script = `import { makeUser } from '${import.meta.dirname}/users.ts';
    const user = await makeUser(); console.log(user.name); await user.remove();`;
  const said = await runCommand([process.execPath, '--input-type=module', '-e', script]);
  const name = said.stdout.trim();
  assert.match(name, /^coit/);
  assert.notEqual((await runCommand(['id', name])).status, 0);
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
