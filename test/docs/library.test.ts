// The library as used by other programs, and the example program.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeGuideBed, timeout } from './guide-bed.ts';
import { root } from './pages.ts';

test('the example program runs a command in several containers at once and leaves none', {
  timeout,
}, async () => {
  await using guide = await makeGuideBed();
  const { bed } = guide;
  const cwd = await guide.workspaceOf('example');
  const argv = [process.execPath, join(root, 'examples/everywhere.ts'), '2', 'sh', '-c', 'pwd'];
  const result = await bed.user.run(argv, { cwd, env: bed.env, limitMs: timeout });
  assert.equal(result.stderr, '');
  assert.deepEqual(result.stdout.split('\n').sort(), [
    '',
    '2 sessions are running',
    'slot 1: status 0: /workspace',
    'slot 2: status 0: /workspace',
  ]);
  assert.deepEqual(await bed.instances(), []);
});

test('the library passes input and variables, reports outcomes, attaches, and rejects unknown names', {
  timeout,
}, async () => {
  await using guide = await makeGuideBed();
  const { bed } = guide;
  const cwd = await guide.workspaceOf('library');
  // Inside the package, so that `coi` resolves to this checkout.
  const script = join(root, 'test/docs/library-user.ts');
  const screen = bed.command([process.execPath, script], { cwd });
  await screen.waitFor('You:', 30_000);
  screen.key('ctrl-b d');
  await screen.ended(30_000);
  const shown = screen.text();
  for (const line of ['ran 3 in out err', 'root 0', 'left', 'session-not-found', 'ended'])
    assert.ok(shown.includes(line), shown);
  assert.deepEqual(await bed.instances(), []);
});
