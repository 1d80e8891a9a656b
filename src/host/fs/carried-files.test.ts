import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { type CarryLimits, hostFiles } from './host-files.ts';

const limits: CarryLimits = { files: 20, bytes: 1000, fileBytes: 500, depth: 4 };
let root: string;
let home: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'coit-carried-')));
  home = join(root, 'home');
  mkdirSync(join(home, '.claude'), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(relative: string, text = relative): string {
  const path = join(home, relative);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

function link(target: string, relative: string): void {
  mkdirSync(dirname(join(home, relative)), { recursive: true });
  symlinkSync(target, join(home, relative));
}

const collect = (names: readonly string[], more: Partial<CarryLimits> = {}) => {
  const { files, leftOut } = hostFiles.collectCarriedFiles(home, '.claude', names, {
    ...limits,
    ...more,
  });
  return { paths: files.map(({ path }) => path).sort(), files, leftOut };
};

test('files and directories are collected with their executable bit; missing names are ignored', () => {
  put('.claude/commands/a.md');
  chmodSync(put('.claude/hooks/deep/run.sh'), 0o755);
  put('.claude/keybindings.json');
  put('.claude/other.md');
  put('.claude/commands/.git/config');
  const { paths, files, leftOut } = collect(['commands', 'hooks', 'keybindings.json', 'none']);
  assert.deepEqual(paths, ['commands/a.md', 'hooks/deep/run.sh', 'keybindings.json']);
  assert.deepEqual(
    files.map(({ executable }) => executable),
    [false, true, false],
  );
  assert.deepEqual(leftOut, []);
});

test("a dotfile manager's links are followed: to a file, a directory and the whole agent directory", () => {
  put('dotfiles/claude/commands/a.md');
  put('.dotfiles/stow/.claude/skills/x/SKILL.md');
  link('../../dotfiles/claude/commands/a.md', '.claude/commands/a.md');
  link(join(home, '.dotfiles/stow/.claude/skills'), '.claude/skills');
  assert.deepEqual(collect(['commands', 'skills']).paths, ['commands/a.md', 'skills/x/SKILL.md']);
  rmSync(join(home, '.claude'), { recursive: true });
  link('dotfiles/claude', '.claude');
  assert.deepEqual(collect(['commands']).paths, ['commands/a.md']);
});

const secrets: Readonly<Record<string, string>> = {
  'a key': '.ssh/id_ed25519',
  'a login': '.config/gh/hosts.yml',
  'a hidden file': 'work/shop/.env',
  'a hidden file of the home': '.netrc',
  'a hidden directory of the dotfiles': '.dotfiles/.secrets/key',
  'a login of another agent': '.codex/auth.json',
};
for (const [what, path] of Object.entries(secrets))
  test(`a link to ${what} is not followed, neither to the file nor to its directory`, () => {
    put(path);
    link(join(home, path), '.claude/commands/x.md');
    link(dirname(join(home, path)), '.claude/skills');
    const { paths, leftOut } = collect(path.includes('/') ? ['commands', 'skills'] : ['commands']);
    const inside = paths.filter((one) => one.endsWith(path.split('/').at(-1) ?? ''));
    // A project directory may be linked; hidden files in it are taken as part of it.
    if (path !== 'work/shop/.env') assert.deepEqual([...paths, ...inside], []);
    else assert.deepEqual(paths, ['skills/.env']);
    assert.match(leftOut.join(), /commands\/x\.md is a link to a path that may hold secrets/);
  });

test('a link out of the home is not followed', () => {
  writeFileSync(join(root, 'secret'), 'secret');
  link(join(root, 'secret'), '.claude/commands/x.md');
  link('/etc', '.claude/skills');
  const { paths, leftOut } = collect(['commands', 'skills']);
  assert.deepEqual([paths, leftOut.length], [[], 2]);
});

test('a second link is not followed: a writer of the dotfiles could have planted it', () => {
  put('work/other/plan.md');
  link(join(home, 'work/other/plan.md'), 'dotfiles/commands/a.md');
  link(join(home, 'dotfiles/commands'), '.claude/commands');
  link(join(home, 'dotfiles/commands/a.md'), '.claude/agents/a.md');
  const { paths, leftOut } = collect(['commands', 'agents']);
  assert.deepEqual([paths, leftOut.length], [[], 2]);
});

test('a FIFO is not opened; files that are too large, too deep or too many are skipped', () => {
  put('.claude/commands/a.md');
  execFileSync('mkfifo', [join(home, '.claude/commands/fifo')]);
  put('.claude/commands/big.md', 'x'.repeat(501));
  put('.claude/skills/1/2/3/4/5/deep.md');
  for (let at = 0; at < 25; at++) put(`.claude/plugins/${at}.md`, 'x');
  put('.claude/agents/z.md');
  const { paths, leftOut } = collect(['commands', 'skills', 'plugins', 'agents']);
  assert.deepEqual(paths, ['agents/z.md', 'commands/a.md']);
  assert.equal(leftOut.length, 4, leftOut.join('\n'));
  assert.match(leftOut.join(), /plugins is too large for a session/);
});

test('as many plugins as fit are taken, and the others are reported', () => {
  put('.claude/plugins/installed.json');
  const plugin = (path: string, files: number) => {
    for (let at = 0; at < files; at++) put(`.claude/plugins/cache/${path}/1.0/${at}.md`, 'x');
  };
  plugin('market/huge', 25);
  plugin('market/small', 3);
  plugin('other/large', 12);
  plugin('other/middle', 6);
  link(put('work/out.md'), '.claude/plugins/cache/market/small/out.md');
  put('.claude/plugins/.git/config');
  put('.claude/agents/z.md');
  const names = ['plugins', 'agents'];
  const { paths, leftOut } = collect(names, { parts: { plugins: 3 }, depth: 8 });
  const plugins = new Set(paths.map((path) => path.split('/').slice(0, 4).join('/')));
  assert.deepEqual(
    [...plugins],
    [
      ...['agents/z.md', 'plugins/cache/market/small', 'plugins/cache/other/middle'],
      'plugins/installed.json',
    ],
  );
  // None is taken in part.
  assert.equal(paths.filter((path) => path.includes('/middle/')).length, 6);
  assert.equal(paths.filter((path) => path.includes('/small/')).length, 4);
  assert.deepEqual(leftOut, [
    '.claude/plugins/cache/other/large is too large for a session',
    '.claude/plugins/cache/market/huge is too large for a session',
  ]);
});
