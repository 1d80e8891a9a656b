import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  findHiddenPaths,
  type LinkTarget,
  secretsMax,
  trackedPaths,
  type WorkspaceEntry,
} from './secret-globs.ts';

const file = (path: string, more: Partial<WorkspaceEntry> = {}): WorkspaceEntry => ({
  path,
  kind: 'file',
  links: 1,
  ...more,
});

test('a glob without a slash matches at the top, with ** at every depth, hidden names included', () => {
  const entries = [file('.env'), file('a/.env'), file('a/b/key.pem'), file('key.pem.txt')];
  assert.deepEqual(findHiddenPaths(['.env', '**/*.pem'], entries).paths, ['.env', 'a/b/key.pem']);
  assert.deepEqual(findHiddenPaths(['**/.env'], entries).paths, ['.env', 'a/.env']);
});

test('a matching directory is covered as a whole, and its content needs no further cover', () => {
  const entries = [file('keys', { kind: 'directory' }), file('keys/a.pem'), file('keysets/a.pem')];
  assert.deepEqual(findHiddenPaths(['keys/', '**/*.pem'], entries).paths, [
    'keys',
    'keysets/a.pem',
  ]);
});

const link = (path: string, to?: string, kind: LinkTarget['kind'] = 'directory') =>
  file(path, { kind: 'link', target: to === undefined ? undefined : { path: to, kind } });
const directory = (path: string) => file(path, { kind: 'directory' });

test("a matching link's target in the workspace is covered, even in an ignored directory", () => {
  const entries = [
    link('.env', 'real/settings', 'file'),
    file('real/settings'),
    link('.env.out'),
    link('.env.packed', 'node_modules/x/.env', 'file'),
  ];
  const { paths, names } = findHiddenPaths(['.env*'], entries);
  assert.deepEqual(paths, ['node_modules/x/.env', 'real/settings']);
  // The links are guarded, so that the next session finds the target too.
  assert.deepEqual(names, ['.env', '.env.packed']);
});

test('a name through links to directories covers its target, even in a loop', () => {
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
  const found = (...globs: string[]) => findHiddenPaths(globs, entries);
  assert.deepEqual(found('config/.env'), {
    paths: ['conf/.env'],
    names: ['config/.env'],
    warnings: [],
  });
  assert.deepEqual(found('config/deep/key').paths, ['more/key']);
  assert.deepEqual(found('self/conf/.env').paths, ['conf/.env']);
  assert.throws(() => found('self'), { code: 'unprotected-path' });
});

test('paths that cannot be covered, or are too many, refuse the start; hard links are reported', () => {
  assert.throws(() => findHiddenPaths(['*'], [file('pipe', { kind: 'other' })]), {
    code: 'unprotected-path',
  });
  const many = Array.from({ length: secretsMax + 1 }, (_, index) => file(`${index}.pem`));
  assert.throws(() => findHiddenPaths(['*.pem'], many), { code: 'unprotected-path' });
  assert.match(
    findHiddenPaths(['a'], [file('a', { links: 2 })]).warnings[0] ?? '',
    /another hard link/,
  );
});

test("files in git's index are recognised", () => {
  const index = Buffer.from('DIRC....\0\0.env\0\0keys/a\0');
  assert.deepEqual(trackedPaths(['.env', 'keys', 'other'], index), ['.env', 'keys']);
});
