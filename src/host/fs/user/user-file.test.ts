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
const refused = (reason: string) => (error: unknown) => hostFiles.problem(error)?.reason === reason;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'coit-user-file-')));
  home = join(root, 'home');
  mkdirSync(join(home, '.claude'), { recursive: true });
  mkdirSync(join(root, 'dotfiles/claude'), { recursive: true });
  writeFileSync(join(root, 'dotfiles/claude/settings.json'), 'settings');
  writeFileSync(join(root, 'secret'), 'secret');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('a plain file of the home is read; a missing one is nothing', () => {
  writeFileSync(join(home, '.claude/a'), 'a');
  assert.equal(read('.claude/a'), 'a');
  assert.equal(read('.claude/none'), undefined);
  assert.equal(read('none/none'), undefined);
  assert.equal(read('.claude/a/below'), undefined);
});

test('a link of the user is followed, to a file or to a directory, relative or absolute', () => {
  symlinkSync('../../dotfiles/claude/settings.json', join(home, '.claude/settings.json'));
  symlinkSync(join(root, 'dotfiles/claude'), join(home, '.codex'));
  assert.equal(read('.claude/settings.json'), 'settings');
  assert.equal(read('.codex/settings.json'), 'settings');
});

test('the home itself may be reached over a link', () => {
  writeFileSync(join(home, '.claude/a'), 'a');
  symlinkSync(home, join(root, 'home-link'));
  assert.equal(
    hostFiles.readUserFile(join(root, 'home-link'), '.claude/a', { maxBytes: 100 })?.text,
    'a',
  );
});

test('a link that was placed where the first one leads is refused, though a plain read would follow it', () => {
  // The user keeps dotfiles in a project; the agent that works there replaces one by a link to another secret.
  symlinkSync('../../dotfiles/claude/settings.json', join(home, '.claude/settings.json'));
  rmSync(join(root, 'dotfiles/claude/settings.json'));
  symlinkSync('../../secret', join(root, 'dotfiles/claude/settings.json'));
  assert.equal(readFileSync(join(home, '.claude/settings.json'), 'utf8'), 'secret');
  assert.throws(() => read('.claude/settings.json'), refused('link'));
});

test('a FIFO, a directory and a file that is too big are refused', () => {
  execFileSync('mkfifo', [join(home, 'fifo')]);
  writeFileSync(join(home, 'big'), 'x'.repeat(101));
  assert.throws(() => read('fifo'), refused('fifo'));
  assert.throws(() => read('.claude'), refused('directory'));
  assert.throws(() => read('big'), refused('too-big'));
});

test('links in a circle end in a refusal', () => {
  symlinkSync('circle', join(home, 'circle'));
  assert.throws(() => read('circle'), refused('link'));
});
