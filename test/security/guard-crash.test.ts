// Goal: whatever step of guarding a coid dies at, the next one reverts all changes.
// Method: the guard itself, as root, on a repository; the program ends at every call that changes something.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chown, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { GuardRecord } from '../../src/daemon/protect/guard/record.ts';
import { WorkspaceGuards } from '../../src/daemon/protect/workspace-guards.ts';
import { openWithoutLinks } from '../../src/host/fs/open-mount-source.ts';
import type { Libc } from '../../src/host/linux/libc.ts';
import { loadLibc } from '../../src/host/linux/load-libc.ts';
import { localFiles } from '../bed/local-files.ts';
import { inventory, protect } from './protect-bed.ts';

class Killed extends Error {}

test('a coid killed at any step of guarding leaves only changes that the next one reverts', {
  timeout: 120_000,
}, async () => {
  const libc = await loadLibc();
  const base = await mkdtemp('/tmp/coit-crash-');
  try {
    for (let step = 1, whole = false; !whole; step += step < 12 ? 1 : 3) {
      const workspace = await repository(join(base, String(step)));
      const before = await inventory(workspace);
      const stateDir = join(base, `state-${step}`);
      whole = guardUntil(libc, step, stateDir, workspace);
      if (!whole) await createEmpty(stateDir, workspace);
      // Like the next coid: it takes over the records, and finds that no session needs them.
      const next = new WorkspaceGuards(parts(libc, stateDir));
      await next.load();
      assert.deepEqual(
        await emptyObjects(workspace),
        [],
        `killed at call ${step}: git fails at it`,
      );
      next.release(new Set());
      assert.deepEqual(await inventory(workspace), before, `killed at call ${step}`);
      assert.ok(step < 500);
    }
  } finally {
    await rm(base, { recursive: true, force: true });
  }
});

/** Creates a planned object empty: the state between two system calls. */
async function createEmpty(stateDir: string, workspace: string): Promise<void> {
  const directory = join(stateDir, 'protect');
  const [name] = await readdir(directory).catch(() => []);
  if (!name) return;
  const record = JSON.parse(await readFile(join(directory, name), 'utf8')) as GuardRecord;
  for (const { path, inode, content } of record.state.made)
    if (inode === 0 && content !== '')
      await writeFile(join(workspace, path), '', { flag: 'wx' }).catch(isThere);
}

async function emptyObjects(workspace: string): Promise<string[]> {
  const text = await readFile(join(workspace, '.git/commondir'), 'utf8').catch(() => undefined);
  return text === '' ? ['.git/commondir'] : [];
}

function isThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

/** Guards until the call with that number: then all later ones fail too. True if there were fewer. */
function guardUntil(libc: Libc, step: number, stateDir: string, workspace: string): boolean {
  let calls = 0;
  const counted = <Words extends unknown[], Result>(call: (...words: Words) => Result) => {
    return (...words: Words): Result => {
      calls += 1;
      if (calls >= step) throw new Killed();
      return call(...words);
    };
  };
  const dying: Libc = {
    ...libc,
    openat2: counted(libc.openat2),
    getxattr: counted(libc.getxattr),
    setxattr: counted(libc.setxattr),
    removexattr: counted(libc.removexattr),
  };
  const keeper = new WorkspaceGuards(parts(dying, stateDir));
  const root = openWithoutLinks(libc, workspace);
  try {
    keeper.protect('00000000-0000-4000-8000-000000000000', root, protect, { uid: 1003, gid: 1003 });
    return true;
  } catch (error) {
    if (error instanceof Killed) return false;
    throw error;
  } finally {
    keeper.close();
  }
}

function parts(libc: Libc, stateDir: string) {
  return {
    ...{ libc, files: localFiles, runDir: stateDir, stateDir, graceMs: 0 },
    log: () => undefined,
    now: () => new Date(),
    elapsedMs: () => performance.now(),
    tampered: () => undefined,
  };
}

async function repository(path: string): Promise<string> {
  await mkdir(path);
  // Without git's sample hooks there are fewer steps.
  execFileSync('git', ['init', '--quiet', '--template=', path]);
  for (const name of ['.vscode', '.claude']) await mkdir(join(path, name));
  await writeFile(join(path, '.vscode/tasks.json'), '{}\n');
  await writeFile(join(path, '.claude/settings.json'), '{}\n');
  await mkdir(join(path, 'tools/husky'), { recursive: true });
  await writeFile(join(path, 'tools/husky/pre-commit'), 'true\n');
  await symlink('tools/husky', join(path, '.husky'));
  execFileSync('chown', ['-hR', '1003:1003', path]);
  await chown(path, 1003, 1003);
  return path;
}
