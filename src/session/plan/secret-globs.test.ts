import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type LinkTarget,
  secrets,
  secretsMax,
  tracked,
  type WorkspaceEntry,
} from './secret-globs.ts';

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

const link = (path: string, to?: string, kind: LinkTarget['kind'] = 'directory') =>
  file(path, { kind: 'link', target: to === undefined ? undefined : { path: to, kind } });
const directory = (path: string) => file(path, { kind: 'directory' });

test('of a link what it leads to is covered, if that is in the workspace, also where nobody looks', () => {
  const entries = [
    link('.env', 'real/settings', 'file'),
    file('real/settings'),
    link('.env.out'),
    link('.env.packed', 'node_modules/x/.env', 'file'),
  ];
  const { paths, names } = secrets(['.env*'], entries);
  assert.deepEqual(paths, ['node_modules/x/.env', 'real/settings']);
  // The links are guarded, so that the next session finds it, too.
  assert.deepEqual(names, ['.env', '.env.packed']);
});

test('a name that goes over links to directories finds what they lead to, also in a round', () => {
  const entries = [
    link('config', 'conf'),
    directory('conf'),
    file('conf/.env'),
    link('conf/deep', 'more'),
    directory('more'),
    file('more/key'),
    link('more/round', 'conf'),
    link('self', ''),
  ];
  const found = (...globs: string[]) => secrets(globs, entries);
  assert.deepEqual(found('config/.env'), {
    paths: ['conf/.env'],
    names: ['config/.env'],
    warnings: [],
  });
  assert.deepEqual(found('config/deep/key').paths, ['more/key']);
  assert.deepEqual(found('self/conf/.env').paths, ['conf/.env']);
  assert.throws(() => found('self'), { code: 'unprotected-path' });
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
