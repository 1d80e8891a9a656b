import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secrets, secretsMax, tracked, type WorkspaceEntry } from './secrets.ts';

const file = (path: string, more: Partial<WorkspaceEntry> = {}): WorkspaceEntry => ({
  path,
  kind: 'file',
  links: 1,
  ...more,
});

test('a glob without a slash is for the top, with ** for every depth, hidden names included', () => {
  const entries = [file('.env'), file('a/.env'), file('a/b/key.pem'), file('key.pem.txt')];
  assert.deepEqual(secrets(['.env', '**/*.pem'], entries).paths, ['.env', 'a/b/key.pem']);
  assert.deepEqual(secrets(['**/.env'], entries).paths, ['.env', 'a/.env']);
});

test('a directory that matches is covered as a whole, and what lies in it needs no cover of its own', () => {
  const entries = [file('keys', { kind: 'directory' }), file('keys/a.pem'), file('keysets/a.pem')];
  assert.deepEqual(secrets(['keys/', '**/*.pem'], entries).paths, ['keys', 'keysets/a.pem']);
});

test('of a link what it leads to is covered, if that is in the workspace', () => {
  const link = (path: string, target?: string) => file(path, { kind: 'link', target });
  const entries = [link('.env', 'real/settings'), file('real/settings'), link('.env.out')];
  assert.deepEqual(secrets(['.env*'], entries).paths, ['real/settings']);
});

test('what cannot be covered, or is too much, refuses the start; a second name is told', () => {
  assert.throws(() => secrets(['*'], [file('pipe', { kind: 'other' })]), {
    code: 'unprotected-path',
  });
  const many = Array.from({ length: secretsMax + 1 }, (_, index) => file(`${index}.pem`));
  assert.throws(() => secrets(['*.pem'], many), { code: 'unprotected-path' });
  assert.match(secrets(['a'], [file('a', { links: 2 })]).warnings[0] ?? '', /another name/);
});

test('what git has in its index is known', () => {
  const index = Buffer.from('DIRC....\0\0.env\0\0keys/a\0');
  assert.deepEqual(tracked(['.env', 'keys', 'other'], index), ['.env', 'keys']);
});
