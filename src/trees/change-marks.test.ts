// Changes that the host would obey.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { changeMark } from './change-marks.ts';
import type { Change } from './changes.ts';

const change = (path: string, mode = '100644', kind: Change['kind'] = 'modified'): Change => ({
  kind,
  path,
  modes: ['100644', mode],
  added: 1,
  removed: 0,
});

it('files that builds, editors, git and agents obey are marked, at any depth', () => {
  for (const path of [
    'package.json',
    'a/b/Makefile',
    '.vscode/tasks.json',
    'a/.husky/pre-push',
    '.gitattributes',
    '.github/workflows/ci.yml',
    'CLAUDE.md',
    '.gitignore',
  ])
    assert.notEqual(changeMark(change(path)), undefined, path);
});

it('links are marked, and ordinary or deleted files are not', () => {
  assert.equal(changeMark(change('src/a', '120000')), 'a link');
  for (const path of ['src/a.ts', 'README', 'docs/package.md'])
    assert.equal(changeMark(change(path)), undefined, path);
  assert.equal(changeMark(change('package.json', '000000', 'deleted')), undefined);
});
