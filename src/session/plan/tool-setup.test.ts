import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { guardsGit, toolSetupLines, toolVariables } from './tool-setup.ts';

const git: [string, string][] = [];

/** Configuration that git reads from the variables. */
function gitValues(variables: Record<string, string>, key: string): string[] {
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent', ...variables };
  return execFileSync('git', ['config', '--get-all', key], { encoding: 'utf8', cwd: '/', env })
    .trim()
    .split('\n');
}

test('git inside compares only size and time of files, and does not write into a sealed directory', () => {
  const open = toolVariables({}, { guarded: false, git });
  assert.deepEqual(gitValues(open, 'core.checkstat'), ['minimal']);
  assert.deepEqual(gitValues(open, 'core.trustctime'), ['false']);
  assert.throws(() => gitValues(open, 'repack.updateserverinfo'));
  const guarded = toolVariables({}, { guarded: true, git: [['commit.gpgsign', 'true']] });
  assert.deepEqual(gitValues(guarded, 'repack.updateserverinfo'), ['false']);
  assert.deepEqual(gitValues(guarded, 'commit.gpgsign'), ['true']);
});

test("git configuration in the user's variables stays and overrides coi's", () => {
  const given = {
    GIT_CONFIG_COUNT: '2',
    GIT_CONFIG_KEY_0: 'core.checkStat',
    GIT_CONFIG_VALUE_0: 'default',
    GIT_CONFIG_KEY_1: 'user.name',
    GIT_CONFIG_VALUE_1: 'Ana',
  };
  const all = { ...given, ...toolVariables(given, { guarded: true, git }) };
  assert.deepEqual(gitValues(all, 'core.checkstat').at(-1), 'default');
  assert.deepEqual(gitValues(all, 'user.name'), ['Ana']);
  assert.deepEqual(gitValues(all, 'core.trustctime'), ['false']);
});

test('variables that git would reject are left unchanged', () => {
  for (const given of [
    { GIT_CONFIG_COUNT: 'x' },
    { GIT_CONFIG_COUNT: '1' },
    { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'a.b' },
  ]) {
    const added = toolVariables(given, { guarded: false, git });
    assert.deepEqual(
      Object.keys(added).filter((name) => name.startsWith('GIT_')),
      [],
    );
  }
});

test("the user's settings are not overridden, and hooks are installed where allowed", () => {
  const given = { UV_LINK_MODE: 'hardlink', SKIP_INSTALL_SIMPLE_GIT_HOOKS: '0' };
  const added = toolVariables(given, { guarded: true, git });
  assert.deepEqual(
    [added['UV_LINK_MODE'], added['SKIP_INSTALL_SIMPLE_GIT_HOOKS']],
    [undefined, undefined],
  );
  assert.equal(added['YORKIE_SKIP_INSTALL'], '1');
  const open = toolVariables({}, { guarded: false, git });
  assert.equal(open['SKIP_INSTALL_SIMPLE_GIT_HOOKS'], undefined);
});

test('git counts as guarded by its configuration, its hooks or as a whole', () => {
  assert.equal(guardsGit(undefined), false);
  assert.equal(guardsGit({ paths: ['.vscode'] }), false);
  assert.equal(guardsGit({ paths: ['.git/config'] }), true);
  assert.equal(guardsGit({ paths: [], readonlyGit: true }), true);
});

test('pnpm keeps its store in the home, and existing configuration files stay', () => {
  const top = mkdtempSync(join(tmpdir(), 'coit-tools-'));
  try {
    const run = (home: string) =>
      execFileSync('bash', ['-c', toolSetupLines({ guarded: false }).join('\n')], {
        cwd: top,
        env: { PATH: process.env['PATH'], HOME: home },
      });
    run(join(top, 'one'));
    assert.equal(
      readFileSync(join(top, 'one/.config/pnpm/rc'), 'utf8'),
      `store-dir=${top}/one/.local/share/pnpm/store\n`,
    );
    mkdirSync(join(top, 'two/.config/pnpm'), { recursive: true });
    run(join(top, 'two'));
    assert.equal(existsSync(join(top, 'two/.config/pnpm/rc')), false);
  } finally {
    rmSync(top, { recursive: true });
  }
});

test("husky 9 installs nothing but its hooks run, and the user's HUSKY stays", () => {
  const top = mkdtempSync(join(tmpdir(), 'coit-tools-'));
  try {
    mkdirSync(join(top, '.husky/_'), { recursive: true });
    const script = [...toolSetupLines({ guarded: true }), 'echo "<$HUSKY>"'].join('\n');
    const run = (env: Record<string, string> = {}) =>
      execFileSync('bash', ['-c', script], {
        cwd: top,
        encoding: 'utf8',
        env: { PATH: process.env['PATH'], HOME: top, ...env },
      });
    // The existing files are already ours, as a copy in a session would be: nothing is mounted over them.
    assert.equal(run(), '<>\n');
    writeFileSync(join(top, '.husky/_/h'), '');
    assert.equal(run(), '<0>\n');
    assert.equal(run({ HUSKY: '1' }), '<1>\n');
    assert.equal(readFileSync(join(top, '.config/husky/init.sh'), 'utf8'), 'unset HUSKY\n');
    // With the user's own file the hooks would see HUSKY=0.
    writeFileSync(join(top, '.config/husky/init.sh'), 'PATH=$PATH\n');
    assert.equal(run(), '<>\n');
    rmSync(join(top, '.husky/_'), { recursive: true });
    assert.equal(run(), '<0>\n');
  } finally {
    rmSync(top, { recursive: true });
  }
});
