import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { guardsGit, toolLines, toolVariables } from './tool-setup.ts';

const git: [string, string][] = [];

/** What git makes of the variables. */
function asked(variables: Record<string, string>, key: string): string[] {
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent', ...variables };
  return execFileSync('git', ['config', '--get-all', key], { encoding: 'utf8', cwd: '/', env })
    .trim()
    .split('\n');
}

test('git inside looks at size and time of files only, and does not write into a sealed directory', () => {
  const open = toolVariables({}, { guarded: false, git });
  assert.deepEqual(asked(open, 'core.checkstat'), ['minimal']);
  assert.deepEqual(asked(open, 'core.trustctime'), ['false']);
  assert.throws(() => asked(open, 'repack.updateserverinfo'));
  const guarded = toolVariables({}, { guarded: true, git: [['commit.gpgsign', 'true']] });
  assert.deepEqual(asked(guarded, 'repack.updateserverinfo'), ['false']);
  assert.deepEqual(asked(guarded, 'commit.gpgsign'), ['true']);
});

test("configuration that the user gives by variables stays, and counts before coi's", () => {
  const given = {
    GIT_CONFIG_COUNT: '2',
    GIT_CONFIG_KEY_0: 'core.checkStat',
    GIT_CONFIG_VALUE_0: 'default',
    GIT_CONFIG_KEY_1: 'user.name',
    GIT_CONFIG_VALUE_1: 'Ana',
  };
  const all = { ...given, ...toolVariables(given, { guarded: true, git }) };
  assert.deepEqual(asked(all, 'core.checkstat').at(-1), 'default');
  assert.deepEqual(asked(all, 'user.name'), ['Ana']);
  assert.deepEqual(asked(all, 'core.trustctime'), ['false']);
});

test('variables that git would refuse are left to the user', () => {
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

test('what the user sets is not overruled, and hooks are installed where they may be', () => {
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

test('pnpm keeps its store at home, and the files of somebody who has their own stay', () => {
  const top = mkdtempSync(join(tmpdir(), 'coit-tools-'));
  try {
    const run = (home: string) =>
      execFileSync('bash', ['-c', toolLines({ guarded: false }).join('\n')], {
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

test('husky 9 installs nothing, and its hooks run nevertheless; a HUSKY of the user stays', () => {
  const top = mkdtempSync(join(tmpdir(), 'coit-tools-'));
  try {
    mkdirSync(join(top, '.husky/_'), { recursive: true });
    const script = [...toolLines({ guarded: true }), 'echo "<$HUSKY>"'].join('\n');
    const run = (env: Record<string, string> = {}) =>
      execFileSync('bash', ['-c', script], {
        cwd: top,
        encoding: 'utf8',
        env: { PATH: process.env['PATH'], HOME: top, ...env },
      });
    // What lies there is our own already, as a copy in a session would be: nothing is put over it.
    assert.equal(run(), '<>\n');
    writeFileSync(join(top, '.husky/_/h'), '');
    assert.equal(run(), '<0>\n');
    assert.equal(run({ HUSKY: '1' }), '<1>\n');
    assert.equal(readFileSync(join(top, '.config/husky/init.sh'), 'utf8'), 'unset HUSKY\n');
    // One of somebody's own would leave HUSKY=0 to the hooks.
    writeFileSync(join(top, '.config/husky/init.sh'), 'PATH=$PATH\n');
    assert.equal(run(), '<>\n');
    rmSync(join(top, '.husky/_'), { recursive: true });
    assert.equal(run(), '<0>\n');
  } finally {
    rmSync(top, { recursive: true });
  }
});
