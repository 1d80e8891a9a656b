// Goal: commits made inside have the user's name, address and signature, as on the host in that workspace.
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { startSshAgent } from '../lifecycle/agent.ts';
import { homeFile, prompt } from '../lifecycle/conversation.ts';

const timeout = 120_000;
const commit = 'git commit -q --allow-empty -m inside && git log -1 --format="%an <%ae>"';

async function inside(bed: Bed, script: string, env: Record<string, string> = {}) {
  const run = ['run', '--image', bed.image, '--', 'bash', '-c', script];
  return bed.coi(run, { env, limitMs: timeout });
}

/** A file of the user in the workspace. */
async function git(bed: Bed, ...args: string[]): Promise<string> {
  const result = await bed.user.run(['git', '-C', bed.workspace.path, ...args]);
  assert.equal(result.status, 0, result.stderr);
  return result.stdout.trim();
}

const user = '[user]\n\tname = Ana\n\temail = ana@private.example\n';

test("a commit inside has the user's e-mail address for this workspace", {
  timeout,
}, async () => {
  await using bed = await makeBed({ git: true });
  const condition = `[includeIf "gitdir:${bed.workspace.path}/"]\n\tpath = work.inc\n`;
  homeFile(bed, '.gitconfig', user + condition);
  homeFile(bed, 'work.inc', '[user]\n\temail = ana@work.example\n');
  const work = await inside(bed, commit);
  assert.equal(work.stdout, 'Ana <ana@work.example>\n', work.stderr);
  homeFile(bed, '.coi/config.toml', '[git]\nemail = "ana@coi.example"\n');
  const configured = await inside(bed, commit);
  assert.equal(configured.stdout, 'Ana <ana@coi.example>\n', configured.stderr);
  // An existing configuration inside is kept.
  const kept = await inside(
    bed,
    `git config --global user.email own@example.com && bash -c '${commit}'`,
  );
  assert.equal(kept.stdout, 'Ana <own@example.com>\n', kept.stderr);
});

test('commits are signed inside by the forwarded SSH agent, even in `coi run`, and verify on the host', {
  timeout,
}, async () => {
  await using bed = await makeBed({ git: true });
  await using agent = await startSshAgent(bed.user, 'one');
  const { home } = bed.user;
  homeFile(bed, '.coi/config.toml', '[ssh]\nforward_agent = true\n');
  homeFile(
    bed,
    '.gitconfig',
    `${user}\tsigningkey = ~/one.pub\n[gpg]\n\tformat = ssh\n[commit]\n\tgpgsign = true\n`,
  );
  const signed = await inside(
    bed,
    'ssh-add -l && git commit -q --allow-empty -m automatic && git commit -S -q --allow-empty -m asked',
    { SSH_AUTH_SOCK: agent.socket },
  );
  assert.equal(signed.status, 0, signed.stderr);
  assert.match(signed.stdout, / one \(ED25519\)/);
  assert.doesNotMatch(signed.stderr, /not signed/);
  const allowed = `${home}/allowed`;
  const { stdout: key } = await bed.user.run(['cat', `${home}/one.pub`]);
  homeFile(bed, 'allowed', `ana@private.example ${key}`);
  const verdicts = await git(
    bed,
    ...['-c', `gpg.ssh.allowedSignersFile=${allowed}`, 'log', '-2', '--format=%G? %s'],
  );
  assert.equal(verdicts, 'G asked\nG automatic');
});

test('if commits cannot be signed, one line says why and they are made unsigned', {
  timeout,
}, async () => {
  await using bed = await makeBed({ git: true });
  const sign = '[commit]\n\tgpgsign = true\n';
  homeFile(bed, '.gitconfig', user + sign);
  const gpg = await inside(bed, commit);
  assert.equal(gpg.stdout, 'Ana <ana@private.example>\n', gpg.stderr);
  assert.deepEqual(gpg.stderr.match(/Commits in the session are not signed.*/g), [
    'Commits in the session are not signed: GPG keys stay on this host',
  ]);
  await using agent = await startSshAgent(bed.user, 'one');
  homeFile(bed, '.coi/config.toml', '[ssh]\nforward_agent = true\n');
  homeFile(bed, '.gitconfig', `${user}\tsigningkey = ~/two\n${sign}[gpg]\n\tformat = ssh\n`);
  const made = await bed.user.run(['ssh-keygen', '-q', '-N', '', '-f', `${bed.user.home}/two`]);
  assert.equal(made.status, 0, made.stderr);
  // The repository itself turns signing on too.
  appendFileSync(`${bed.workspace.path}/.git/config`, sign);
  const other = await inside(bed, commit, { SSH_AUTH_SOCK: agent.socket });
  assert.equal(other.stdout, 'Ana <ana@private.example>\n', other.stderr);
  assert.match(other.stderr, /not signed: the SSH agent does not have the signing key/);
});

test('a repository that turns on signing itself can be committed to, and one line says how', {
  timeout,
}, async () => {
  await using bed = await makeBed({ git: true });
  homeFile(bed, '.gitconfig', user);
  const config = `${bed.workspace.path}/.git/config`;
  const before = readFileSync(config, 'utf8');
  const own = `[user]\n\tsigningkey = ~/.ssh/id.pub\n[gpg]\n\tformat = ssh\n[commit]\n\tgpgsign = true\n[tag]\n\tgpgsign = true\n\tforceSignAnnotated = true\n`;
  appendFileSync(config, own);
  const both = `${commit} && git tag -a -m x -f one`;
  const made = await inside(bed, both);
  assert.match(made.stdout, /^Ana <ana@private.example>\n/, made.stderr);
  assert.equal(made.status, 0, made.stderr);
  assert.deepEqual(made.stderr.match(/Commits in the session are not signed.*/g), [
    'Commits in the session are not signed: [ssh] forward_agent is off',
  ]);
  // The same with the user's own configuration turned off, and with the setting in an included file.
  homeFile(
    bed,
    '.coi/config.toml',
    '[git]\nseed_host_identity = false\nname = "Ana"\nemail = "ana@private.example"\n',
  );
  writeFileSync(config, `${before}[include]\n\tpath = ../signs\n`);
  writeFileSync(`${bed.workspace.path}/signs`, own);
  const included = await inside(bed, both);
  assert.equal(included.status, 0, included.stderr);
  assert.match(included.stderr, /Commits in the session are not signed/);
  // With an SSH agent they are signed.
  await using agent = await startSshAgent(bed.user, 'one');
  homeFile(bed, '.coi/config.toml', '[ssh]\nforward_agent = true\n');
  writeFileSync(config, `${before}${own.replace('~/.ssh/id.pub', '~/one.pub')}`);
  const signed = await inside(bed, both, { SSH_AUTH_SOCK: agent.socket });
  assert.equal(signed.status, 0, signed.stderr);
  assert.doesNotMatch(signed.stderr, /not signed/);
  assert.match(await git(bed, 'cat-file', '-p', 'HEAD'), /gpgsig -----BEGIN SSH SIGNATURE/);
});

/** Prints status and command; `unwritten` if git said that it could not write its configuration. */
const guardedScript = `
said() {
  "$@" >/tmp/log 2>&1
  echo "$? $*$(grep -q 'could not write config file.*too large for defined data type' /tmp/log && echo ': unwritten')"
}
git config --global user.name a; git config --global user.email a@a
git init -q --bare ~/r.git
git checkout -q -b one
said git gc; cat /tmp/log
GIT_CONFIG_COUNT=0 git gc 2>&1 | sed 's/.*error/without coi: error/'
said git push -u ~/r.git one
said git branch -m one two
said git branch --set-upstream-to=main
said git branch -d main
said git remote add origin ~/r.git
said git config color.ui false
said git sparse-checkout set a
said git config --global remote.origin.url ~/r.git
said git config --global remote.origin.fetch '+refs/heads/*:refs/remotes/origin/*'
said git config --global branch.two.remote origin
said git config --global branch.two.merge refs/heads/two
said git push origin two
said git pull
git rev-parse --abbrev-ref HEAD '@{upstream}'
`;

test("git with guarded configuration works as the agent's context (tools/context.ts) describes", {
  timeout,
}, async () => {
  await using bed = await makeBed({ git: true });
  const { stdout, stderr } = await inside(bed, guardedScript);
  assert.deepEqual(
    stdout.trim().split('\n'),
    [
      '0 git gc',
      'without coi: error: unable to update /workspace/.git/info/refs: Permission denied',
      // The command worked, and only git's own note is missing.
      '0 git push -u /home/code/r.git one: unwritten',
      '128 git branch -m one two: unwritten',
      '0 git branch --set-upstream-to=main: unwritten',
      '0 git branch -d main: unwritten',
      // Not done.
      '128 git remote add origin /home/code/r.git: unwritten',
      '4 git config color.ui false: unwritten',
      '1 git sparse-checkout set a: unwritten',
      // The alternative.
      '0 git config --global remote.origin.url /home/code/r.git',
      '0 git config --global remote.origin.fetch +refs/heads/*:refs/remotes/origin/*',
      '0 git config --global branch.two.remote origin',
      '0 git config --global branch.two.merge refs/heads/two',
      '0 git push origin two',
      '0 git pull',
      'two',
      'origin/two',
    ],
    stderr,
  );
  assert.equal(await git(bed, 'branch', '--format=%(refname:short)'), 'two');
});

test('git on the host and in the container do not reread files that the other has seen', {
  timeout,
}, async () => {
  await using bed = await makeBed({ git: true });
  const made = await bed.user.run(
    ['sh', '-c', 'echo x >file && touch -d @1000000000 file && git add file'],
    { cwd: bed.workspace.path },
  );
  assert.equal(made.status, 0, made.stderr);
  // git records the stat data of a file that it had to reread.
  const index = () => readFileSync(`${bed.workspace.path}/.git/index`, 'base64');
  const before = index();
  const seen = await inside(bed, 'git status --short');
  assert.equal(seen.stdout, 'A  file\n', seen.stderr);
  assert.equal(index(), before);
  await inside(bed, 'GIT_CONFIG_COUNT=0 git status --short');
  assert.notEqual(index(), before, "without coi's settings");
});

test('additional shells and commands in a session have the same git setup', {
  timeout,
}, async () => {
  await using bed = await makeBed({ git: true });
  const started = await bed.coi(['shell', '--image', bed.image, '--background', '--json']);
  assert.equal(started.status, 0, started.stderr);
  const { container } = JSON.parse(started.stdout);
  const ask = 'git config core.checkStat; echo "<$SKIP_INSTALL_SIMPLE_GIT_HOOKS>"';
  const exec = ['container', 'exec', container, '--user', '1000', '--'];
  const extraShell = await bed.coi([...exec, 'bash', '-c', ask]);
  assert.equal(extraShell.stdout, 'minimal\n<1>\n', extraShell.stderr);
  const screen = bed.screen(['attach', container, '--bash']);
  await screen.waitFor(prompt);
  screen.type(`clear; ${ask}\r`);
  await screen.waitFor(/^minimal\s+<1>/m);
});
