// coi in a directory that is deleted or that the user cannot enter.
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

/** Runs coi there: the shell enters it before it changes to the user. */
const coi = (directory: string, before: string, args: string) =>
  user.run(['sh', '-c', `${before} exec ${coiPath()} ${args}`], { cwd: directory });

const alone = ['version', 'completion bash', 'trust --list', 'help shell'];

test('in a deleted directory only commands that need one fail, and say so', async () => {
  for (const args of alone) {
    const directory = mkdtempSync('/tmp/coi-gone-');
    chownSync(directory, user.uid, user.gid);
    const result = await coi(directory, `rmdir ${directory};`, args);
    assert.equal(result.status, 0, `${args}: ${result.stderr}`);
  }
  const directory = mkdtempSync('/tmp/coi-gone-');
  chownSync(directory, user.uid, user.gid);
  const result = await coi(directory, `rmdir ${directory};`, 'config show');
  assert.equal(result.status, 1);
  assert.match(result.stderr, /^Error: the current directory no longer exists$/m);
});

test('in an unreadable directory sessions are refused and other commands work without its files', async () => {
  const top = mkdtempSync('/tmp/coi-closed-');
  try {
    // mkdtemp makes the parent accessible only to root.
    mkdirSync(join(top, 'in'));
    for (const directory of [top, join(top, 'in')]) {
      for (const args of [...alone, 'config show', 'profile list', 'validate']) {
        const result = await coi(directory, '', args);
        assert.equal(result.status, 0, `${args}: ${result.stderr}`);
        assert.doesNotMatch(result.stderr, /does not exist|no longer read/);
      }
      const shown = await coi(directory, '', 'config show container.image');
      assert.equal(
        shown.stderr,
        `Warning: ${directory} cannot be read by this user: its project configuration is ignored\n`,
      );
      // As on a terminal: the shell knows the directory's name.
      const named = await coi(directory, `PWD=${directory};`, 'config show container.image');
      assert.equal(named.stderr, shown.stderr);
    }
  } finally {
    rmSync(top, { recursive: true });
  }
});
