import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WorkspacePath } from '../../names.ts';
import {
  assertUsableWorkspace,
  isSameWorkspace,
  workspacePath,
  workspaceTarget,
} from './workspace.ts';

test('a workspace path becomes absolute and keeps its links', () => {
  assert.equal(workspacePath('/home/u', 'p/../q/'), '/home/u/q');
  assert.equal(workspacePath('/home/u', '/x/y'), '/x/y');
  for (const text of ['', 'a\nb', 'a\0b'])
    assert.throws(() => workspacePath('/', text), { code: 'workspace-invalid' });
});

test('a session belongs to its workspace by either path, and by link targets at its start', () => {
  const own = { path: '/link' as WorkspacePath, real: '/real' };
  for (const [recorded, expected] of [
    [{ workspace: '/link' }, true],
    [{ workspace: '/real' }, true],
    [{ workspace: '/other-link', realWorkspace: '/real' }, true],
    // The link's current target does not matter: an agent may have redirected it.
    [{ workspace: '/other-link' }, false],
    [{ workspace: '/other-link', realWorkspace: '/elsewhere' }, false],
    [{}, false],
  ] as const)
    assert.equal(isSameWorkspace(recorded, own), expected, JSON.stringify(recorded));
});

test('an unusable directory is refused, each kind with its own message', () => {
  const messages = (['missing', 'file', 'unreadable'] as const).map((kind) => {
    try {
      assertUsableWorkspace('/w' as WorkspacePath, { kind });
    } catch (error) {
      return (error as Error).message;
    }
    return '';
  });
  assert.equal(new Set(messages).size, 3);
  assert.ok(messages.every((message) => message.includes('/w')));
});

test("the host path is kept unless it would hide the container's files", () => {
  assert.equal(workspaceTarget('/srv/code/p' as WorkspacePath, true).target, '/srv/code/p');
  assert.equal(workspaceTarget('/srv/code/p' as WorkspacePath, false).target, '/workspace');
  for (const path of ['/etc/x', '/root/p', '/usr/src/p', '/tmp'])
    assert.equal(workspaceTarget(path as WorkspacePath, true).target, '/workspace');
});
