import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { hostFiles } from '../host-files.ts';

let root: string;
let home: string;
const read = (relative: string) => hostFiles.readUserFile(home, relative, { maxBytes: 100 })?.text;
const refused = (reason: string) => (error: unknown) =>
  hostFiles.asFileError(error)?.reason === reason;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'coit-user-file-')));
  home = join(root, 'home');
  mkdirSync(join(home, '.claude'), { recursive: true });
  mkdirSync(join(root, 'dotfiles/claude'), { recursive: true });
  writeFileSync(join(root, 'dotfiles/claude/settings.json'), 'settings');
  writeFileSync(join(root, 'secret'), 'secret');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('a regular file of the home is read; a missing one reads as nothing', () => {
  writeFileSync(join(home, '.claude/a'), 'a');
  assert.equal(read('.claude/a'), 'a');
  assert.equal(read('.claude/none'), undefined);
  assert.equal(read('none/none'), undefined);
  assert.equal(read('.claude/a/below'), undefined);
});

test("a user's link is followed, to a file or directory, relative or absolute", () => {
  symlinkSync('../../dotfiles/claude/settings.json', join(home, '.claude/settings.json'));
  symlinkSync(join(root, 'dotfiles/claude'), join(home, '.codex'));
  assert.equal(read('.claude/settings.json'), 'settings');
  assert.equal(read('.codex/settings.json'), 'settings');
});

test('the home itself may be behind a link', () => {
  writeFileSync(join(home, '.claude/a'), 'a');
  symlinkSync(home, join(root, 'home-link'));
  assert.equal(
    hostFiles.readUserFile(join(root, 'home-link'), '.claude/a', { maxBytes: 100 })?.text,
    'a',
  );
});

test('a second link behind the first is refused, though a plain read would follow it', () => {
  // The user keeps dotfiles in a project; the agent that works there replaces one by a link to another secret.
  symlinkSync('../../dotfiles/claude/settings.json', join(home, '.claude/settings.json'));
  rmSync(join(root, 'dotfiles/claude/settings.json'));
  symlinkSync('../../secret', join(root, 'dotfiles/claude/settings.json'));
  assert.equal(readFileSync(join(home, '.claude/settings.json'), 'utf8'), 'secret');
  assert.throws(() => read('.claude/settings.json'), refused('link'));
});

test('a FIFO, a directory and a file that is too large are refused', () => {
  execFileSync('mkfifo', [join(home, 'fifo')]);
  writeFileSync(join(home, 'big'), 'x'.repeat(101));
  assert.throws(() => read('fifo'), refused('fifo'));
  assert.throws(() => read('.claude'), refused('directory'));
  assert.throws(() => read('big'), refused('too-big'));
});

test('a link loop is refused', () => {
  symlinkSync('circle', join(home, 'circle'));
  assert.throws(() => read('circle'), refused('link'));
});
