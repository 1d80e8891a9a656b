// Needs root, like all tests with the real Incus.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, watch } from 'node:fs';
import { test } from 'node:test';
import { runCommand } from './command.ts';
import { makeUser, userOfUid } from './users.ts';

test('a temporary user is in incus-admin and has its own home; the next one gets only the account', async () => {
  const user = await makeUser();
  const output = await user.run(['sh', '-c', 'id -un; id -Gn; pwd; echo "$HOME"; env']);
  const [name, groups, directory, home] = output.stdout.split('\n');
  assert.equal(name, user.name);
  assert.match(groups ?? '', /\bincus-admin\b/);
  assert.deepEqual([directory, home], [user.home, user.home]);
  assert.doesNotMatch(
    output.stdout,
    /npm_|INCUS|COI_/,
    'the environment of the test run is not inherited',
  );
  const watcher = watch(user.home);
  const left = user.start(['sh', '-c', 'touch up; exec sleep 100']);
  // Until then it may still run as root.
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

test('a process removes its accounts when it ends', async () => {
  const script = `import { makeUser } from '${import.meta.dirname}/users.ts';
    const user = await makeUser(); console.log(user.name); await user.remove();`;
  const output = await runCommand([process.execPath, '--input-type=module', '-e', script]);
  const name = output.stdout.trim();
  assert.match(name, /^coit/);
  assert.notEqual((await runCommand(['id', name])).status, 0);
});

test('a uid that is in use is borrowed with its account, which stays', async () => {
  const owner = await makeUser();
  const borrowed = await userOfUid(owner.uid);
  assert.equal(borrowed.name, owner.name);
  assert.notEqual(borrowed.home, owner.home);
  await borrowed.remove();
  assert.equal((await owner.run(['id', '-un'])).stdout.trim(), owner.name);
  await owner.remove();
});

test('an account outside incus-admin cannot open the Incus socket', async () => {
  for (const incusAdmin of [true, false]) {
    const user = await makeUser({ incusAdmin });
    const output = await user.run(['incus', 'list']);
    assert.equal(output.status === 0, incusAdmin, output.stderr);
    await user.remove();
  }
});
