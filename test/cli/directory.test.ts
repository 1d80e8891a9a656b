// In a directory that is gone, or that the user may not enter.
import assert from 'node:assert/strict';
import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { coiPath } from '../bed/program.ts';
import { makeUser, type TestUser } from '../bed/users.ts';

let user: TestUser;
before(async () => {
  user = await makeUser();
});
after(() => user?.remove());

/** Runs coi there: the shell goes in before it becomes the user. */
const coi = (directory: string, before: string, args: string) =>
  user.run(['sh', '-c', `${before} exec ${coiPath()} ${args}`], { cwd: directory });

const alone = ['version', 'completion bash', 'trust --list', 'help shell'];

test('a directory that is gone: only what needs one fails, and says so', async () => {
  for (const args of alone) {
    const directory = mkdtempSync('/tmp/coi-gone-');
    chownSync(directory, user.uid, user.gid);
    const said = await coi(directory, `rmdir ${directory};`, args);
    assert.equal(said.status, 0, `${args}: ${said.stderr}`);
  }
  const directory = mkdtempSync('/tmp/coi-gone-');
  chownSync(directory, user.uid, user.gid);
  const said = await coi(directory, `rmdir ${directory};`, 'config show');
  assert.equal(said.status, 1);
  assert.match(said.stderr, /^Error: the current directory does not exist any more$/m);
});

test('a directory that may not be entered: sessions are refused for that reason, the rest goes on without its files', async () => {
  const top = mkdtempSync('/tmp/coi-closed-');
  try {
    // The top is as mkdtemp makes it: for root only.
    mkdirSync(join(top, 'in'));
    for (const directory of [top, join(top, 'in')]) {
      for (const args of [...alone, 'config show', 'profile list', 'validate']) {
        const said = await coi(directory, '', args);
        assert.equal(said.status, 0, `${args}: ${said.stderr}`);
        assert.doesNotMatch(said.stderr, /does not exist|not read any more/);
      }
      const shown = await coi(directory, '', 'config show container.image');
      assert.equal(
        shown.stderr,
        `Warning: ${directory} cannot be read by this user: the configuration of that project does not count\n`,
      );
      // As on a terminal: the shell knows the name.
      const named = await coi(directory, `PWD=${directory};`, 'config show container.image');
      assert.equal(named.stderr, shown.stderr);
    }
  } finally {
    rmSync(top, { recursive: true });
  }
});
