import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
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
import { after, before, test } from 'node:test';
import { captureOutput } from '../../host/process/capture-output.ts';
import {
  dependsOnWorkspace,
  effectiveValues,
  gitConfigCommand,
  gitEnvironment,
  mayDecideSigning,
  parseGitAnswers,
  userValues,
} from './host-git.ts';

let home: string;
let env: Record<string, string>;

before(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'coit-git-')));
  env = { PATH: process.env['PATH'] ?? '', HOME: home };
});
after(() => rmSync(home, { recursive: true }));

function git(...args: string[]): void {
  const name = ['-c', 'user.name=x', '-c', 'user.email=x@x'];
  execFileSync('git', [...name, ...args], {
    cwd: home,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

function repository(path: string): string {
  rmSync(join(home, '.gitconfig'), { force: true });
  git('init', '-q', '--initial-branch=main', path);
  git('-C', path, 'commit', '-q', '--allow-empty', '-m', 'x');
  return join(home, path);
}

/** The e-mail address that git commits with in a workspace for a user with that configuration. */
function address(workspace: string, config: string, more: Record<string, string> = {}) {
  writeFileSync(join(home, '.gitconfig'), `[user]\n\tname = Ana\n\temail = private\n${config}`);
  writeFileSync(join(home, 'work.inc'), '[user]\n\temail = work\n');
  writeFileSync(join(home, 'outer.inc'), '[include]\n\tpath = work.inc\n');
  const result = captureOutput(gitConfigCommand(workspace), {
    timeoutMs: 10_000,
    env: gitEnvironment({ ...env, ...more }, workspace),
  });
  return result && userValues(parseGitAnswers(result)).get('user.email')?.value;
}

const includeIf = (condition: string, path = 'work.inc') =>
  `[includeIf "${condition}"]\n\tpath = ${path}\n`;

test("the e-mail address is the user's for that directory, under every includeIf condition", () => {
  const inside = repository('jobs/shop');
  const outside = repository('other');
  const linked = join(home, 'linked');
  symlinkSync(join(home, 'jobs'), linked);
  git('-C', inside, 'worktree', 'add', '-q', join(home, 'tree'));
  git('-C', inside, 'remote', 'add', 'origin', 'https://corp.example/shop.git');
  mkdirSync(join(inside, 'sub'));
  for (const [condition, there, elsewhere] of [
    ['gitdir:~/jobs/', inside, outside],
    [`gitdir:${home}/jobs/`, inside, outside],
    ['gitdir:~/jobs/**', inside, outside],
    ['gitdir:shop/', inside, outside],
    ['gitdir:~/linked/', `${linked}/shop`, outside],
    ['gitdir:~/jobs/', `${linked}/shop`, outside],
    ['gitdir/i:~/JOBS/', inside, outside],
    // A linked worktree has its git directory in the repository, a subdirectory that of the repository.
    ['gitdir:~/jobs/', join(home, 'tree'), outside],
    ['gitdir:~/jobs/', `${inside}/sub`, outside],
    ['onbranch:main', inside, join(home, 'tree')],
    ['hasconfig:remote.*.url:https://corp.example/**', inside, outside],
  ] as const) {
    assert.equal(address(there, includeIf(condition)), 'work', condition);
    assert.equal(address(elsewhere, includeIf(condition)), 'private', condition);
  }
  assert.equal(address(inside, includeIf('gitdir:~/JOBS/')), 'private');
  assert.equal(address(inside, includeIf('gitdir:~/jobs/', 'outer.inc')), 'work');
  assert.equal(address(home, includeIf('gitdir:~/jobs/')), 'private', 'no repository');
  // As in a hook of another repository.
  const hook = { GIT_DIR: `${outside}/.git`, GIT_WORK_TREE: outside };
  assert.equal(address(inside, includeIf('gitdir:~/jobs/'), hook), 'work');
});

test('git runs in the workspace only if that can change the answer', () => {
  const anywhere = (config: string) => {
    writeFileSync(join(home, '.gitconfig'), `[user]\n\temail = private\n${config}`);
    return dependsOnWorkspace(
      parseGitAnswers(captureOutput(gitConfigCommand('/'), { timeoutMs: 10_000, env }) ?? ''),
    );
  };
  assert.equal(anywhere('[include]\n\tpath = work.inc\n'), false);
  assert.equal(anywhere(includeIf('gitdir:~/jobs/')), true);
  assert.equal(anywhere('[include]\n\tpath = signs.inc\n'), false);
  writeFileSync(join(home, 'signs.inc'), `[commit]\n\tgpgsign\n`);
  assert.equal(anywhere('[include]\n\tpath = signs.inc\n'), true);
});

test("git also runs in the workspace if the repository's configuration may turn on signing", () => {
  const path = repository('signs');
  const config = () => readFileSync(join(path, '.git/config'), 'utf8');
  assert.equal(mayDecideSigning(config()), false);
  git('-C', path, 'config', 'user.email', 'x@x');
  git('-C', path, 'remote', 'add', 'origin', 'https://example.org/x');
  assert.equal(mayDecideSigning(config()), false);
  for (const [key, value] of [
    ['commit.gpgSign', 'true'],
    ['tag.gpgsign', 'true'],
    ['tag.forceSignAnnotated', 'true'],
    ['push.gpgSign', 'true'],
    ['gpg.format', 'ssh'],
    ['user.signingKey', 'x'],
    ['include.path', 'more'],
    ['includeIf.gitdir:x.path', 'more'],
    ['extensions.worktreeConfig', 'true'],
  ] as const) {
    git('-C', path, 'config', key, value);
    assert.equal(mayDecideSigning(config()), true, key);
    git('-C', path, 'config', '--unset', key);
    assert.equal(mayDecideSigning(config()), false, key);
  }
});

test("the repository's configuration counts for signing, not for the user's identity", () => {
  const path = repository('signed');
  git('-C', path, 'config', 'user.email', 'agent');
  git('-C', path, 'config', 'commit.gpgsign', 'false');
  assert.equal(address(path, '[commit]\n\tgpgsign\n'), 'private');
  const result = captureOutput(gitConfigCommand(path), { timeoutMs: 10_000, env }) ?? '';
  assert.deepEqual(effectiveValues(parseGitAnswers(result)).get('commit.gpgsign')?.value, 'false');
  assert.deepEqual(userValues(parseGitAnswers(result)).get('commit.gpgsign')?.value, 'true');
});

test('querying git runs nothing that the repository names', () => {
  const path = repository('hostile');
  const mark = join(home, 'ran');
  const evil = join(home, 'evil');
  writeFileSync(evil, `#!/bin/sh\necho "$0" >>${mark}\n`);
  chmodSync(evil, 0o755);
  for (const key of [
    ...['core.fsmonitor', 'core.pager', 'pager.config', 'core.editor', 'core.sshCommand'],
    ...['core.askPass', 'core.alternateRefsCommand', 'credential.helper', 'gpg.program'],
    ...['gpg.ssh.program', 'gpg.ssh.defaultKeyCommand', 'diff.external', 'filter.x.clean'],
  ])
    git('-C', path, 'config', key, evil);
  git('-C', path, 'config', 'alias.config', `!${evil}`);
  git('-C', path, 'config', 'extensions.partialClone', 'origin');
  git('-C', path, 'config', 'trace2.eventTarget', mark);
  for (const hook of ['post-checkout', 'fsmonitor-watchman', 'reference-transaction'])
    symlinkSync(evil, join(path, '.git/hooks', hook));
  assert.equal(address(path, includeIf('gitdir:~/hostile/')), 'work');
  assert.equal(existsSync(mark), false);
  // Another git command does run it.
  execFileSync('git', ['status'], { cwd: path, env, stdio: 'ignore' });
  assert.equal(existsSync(mark), true);
});

test('a repository that git cannot read yields no user, and a hanging query is cut off', () => {
  const path = repository('broken');
  writeFileSync(join(path, '.git/config'), '[core\n');
  assert.equal(address(path, ''), undefined);
  rmSync(join(path, '.git/config'));
  execFileSync('mkfifo', [join(path, '.git/config')]);
  const answer = captureOutput(gitConfigCommand(path), { timeoutMs: 200, env });
  assert.equal(answer, undefined);
});
