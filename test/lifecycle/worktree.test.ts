// Goal: git works in a session whose workspace is a linked worktree, also after a stop, in a fork and in a part of the
// main checkout; if it cannot work, the start says so in one line with a hint.
// Method: the built program as an ordinary user, in repositories that the host's git made.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { Workspaces } from '../bed/workspace.ts';

const timeout = 180_000;
let bed: Bed;
let workspaces: Workspaces;

before(async () => {
  bed = await makeBed();
  workspaces = new Workspaces(bed.user);
});
after(async () => {
  await bed?.[Symbol.asyncDispose]();
  await workspaces?.[Symbol.asyncDispose]();
});

const git = 'git -c user.name=a -c user.email=a@example.invalid';
const commit = `${git} commit -q --allow-empty -m x`;
const repository = `git init -q repo; cd repo; ${commit}; git branch one; git branch two`;
const ownHooks = `mkdir .githooks; printf '#!/bin/sh\\n' > .githooks/pre-commit; chmod +x .githooks/pre-commit; git add .; ${git} commit -qm x`;
const works = `echo x > new && git status --porcelain && rm new && ${commit} && git branch made && git gc -q`;

const kinds: Readonly<Record<string, { readonly script: string; readonly at: string }>> = {
  'next to the main checkout': {
    script: `${repository}; git worktree add -q ../feature one`,
    at: 'feature',
  },
  'in the main checkout': {
    script: `${repository}; git worktree add -q .trees/feature one`,
    at: 'repo/.trees/feature',
  },
  'of a bare repository': {
    script: `${repository}; cd ..; git clone -q --bare repo store.git; git -C store.git worktree add -q ../feature one`,
    at: 'feature',
  },
  'next to a bare repository named by a .git file': {
    script: `${repository}; cd ..; mkdir all; git clone -q --bare repo all/.bare; echo 'gitdir: ./.bare' > all/.git; git -C all worktree add -q feature one`,
    at: 'all/feature',
  },
  'of a bare repository, with its own hooks': {
    script: `umask 077; ${repository}; ${ownHooks}; cd ..; mkdir all; git clone -q --bare repo all/.bare; git -C all/.bare config core.hooksPath .githooks; git -C all/.bare worktree add -q ../main; git -C all/.bare worktree add -q ../feature -b new`,
    at: 'all/feature',
  },
  'in the main checkout, with its own hooks': {
    script: `umask 077; ${repository}; ${ownHooks}; git config core.hooksPath .githooks; git worktree add -q .trees/feature -b new`,
    at: 'repo/.trees/feature',
  },
  'named by a relative path': {
    script: `${repository}; git worktree add -q ../feature one; echo 'gitdir: ../repo/.git/worktrees/feature' > ../feature/.git`,
    at: 'feature',
  },
};

for (const [title, { script, at }] of Object.entries(kinds))
  test(`git works in a worktree ${title}, and nothing is reported afterwards`, {
    timeout,
  }, async () => {
    const cwd = join(await workspaces.make(script), at);
    const result = await run(cwd, works);
    assert.doesNotMatch(result.stderr, /does not work|might execute|incomplete|not checked/);
    const host = await workspaces.onHost(
      cwd,
      'git log --format=%s -1 made; git status --porcelain; git fsck',
    );
    assert.equal(host, 'x');
    const answer = await bed.coi(['handoff'], { cwd });
    assert.match(answer.stdout, /^No changes that the host might execute/);
    assert.equal(answer.status, 0);
  });

test("programs that the agent configures in a worktree's repository are reported", {
  timeout,
}, async () => {
  const cwd = join(
    await workspaces.make(`${repository}; git worktree add -q ../feature one`),
    'feature',
  );
  const own = '$(git rev-parse --git-dir)';
  await run(cwd, `mkdir ${own}/rebase-merge; echo 'exec x' > ${own}/rebase-merge/git-rebase-todo`);
  const { stdout } = await bed.coi(['handoff'], { cwd });
  assert.match(
    stdout,
    /\/repo\/\.git\/worktrees\/feature\/rebase-merge\/git-rebase-todo +continuing the rebase/,
  );
});

test("with [git] readonly a worktree's repository cannot be written", {
  timeout,
}, async () => {
  const top = await workspaces.make(`${repository}; git worktree add -q ../feature one`);
  const cwd = join(top, 'feature');
  await workspaces.onHost(
    cwd,
    'mkdir .coi; printf "[git]\\nreadonly = true\\n" > .coi/config.toml',
  );
  const attempts = `git status --porcelain; ! ${commit}; ! touch ${top}/repo/.git/x ${top}/repo/.git/worktrees/feature/x`;
  await run(cwd, `${attempts}; echo x > file`);
});

test('a persistent container of a worktree is restarted with git, and so is its fork', {
  timeout,
}, async () => {
  const cwd = join(
    await workspaces.make(`${repository}; git worktree add -q ../feature one`),
    'feature',
  );
  const coi = async (...args: string[]) => {
    const result = await bed.coi(args, { cwd });
    assert.equal(result.status, 0, result.stderr);
    return result;
  };
  const shell = ['shell', '--background', '--image', bed.image, '--persistent', '--json'];
  const { container } = JSON.parse((await coi(...shell)).stdout) as { container: string };
  const inside = (name: string) =>
    coi(
      'container',
      'exec',
      name,
      '--user',
      '1000',
      '--cwd',
      cwd,
      '--',
      'git',
      'log',
      '--format=%s',
    );
  assert.equal((await inside(container)).stdout.trim(), 'x');
  const copy = JSON.parse((await coi('fork', container, '--json')).stdout) as { container: string };
  assert.equal((await inside(copy.container)).stdout.trim(), 'x');
  await coi('container', 'stop', container);
  await coi('snapshot', 'create', 'kept', '-c', container);
  await coi('snapshot', 'restore', 'kept', '-c', container, '--force');
  await coi(...shell);
  assert.equal((await inside(container)).stdout.trim(), 'x');
  await coi('kill', '--all', '--force');
});

test('a worktree made by the agent has its commits on the host, and works there after a repair', {
  timeout,
}, async () => {
  const top = join(await workspaces.make(repository), 'repo');
  const add = `git worktree add -q .claude/worktrees/x -b x; cd .claude/worktrees/x; ${commit}`;
  await run(top, add);
  assert.match(await workspaces.onHost(top, 'git worktree list'), /worktrees\/x .*prunable/);
  assert.equal(await workspaces.onHost(top, 'git log --format=%s -1 x'), 'x');
  // The next session works in it.
  await run(top, `cd .claude/worktrees/x; ${commit}`);
  await workspaces.onHost(top, 'git worktree repair .claude/worktrees/x');
  assert.equal(
    await workspaces.onHost(join(top, '.claude/worktrees/x'), 'git log --format=%s -1'),
    'x',
  );
  assert.doesNotMatch(await workspaces.onHost(top, 'git worktree list'), /prunable/);
});

test('with the host path, a worktree made by the agent works on both sides', {
  timeout,
}, async () => {
  const top = join(await workspaces.make(repository), 'repo');
  await workspaces.onHost(
    top,
    'mkdir .coi; printf "[paths]\\npreserve_workspace_path = true\\n" > .coi/config.toml',
  );
  await run(top, `git worktree add -q .claude/worktrees/x -b x; cd .claude/worktrees/x; ${commit}`);
  assert.doesNotMatch(await workspaces.onHost(top, 'git worktree list'), /prunable/);
  assert.equal(
    await workspaces.onHost(join(top, '.claude/worktrees/x'), 'git log --format=%s -1'),
    'x',
  );
});

test('if git cannot work, the start says so with a hint', { timeout }, async () => {
  const top = await workspaces.make(`${repository}; mkdir part`);
  const part = await run(join(top, 'repo/part'), '! git status 2>/dev/null');
  assert.match(
    part.stderr,
    new RegExp(
      `git does not work in this session: only a part of the repository in ${top}/repo is mounted; to mount all of it: coi -w ${top}/repo shell`,
    ),
  );
  const moved = await workspaces.make(
    `${repository}; git worktree add -q ../feature one; mv ../feature ../m`,
  );
  const lost = await command(join(moved, 'm'), 'true');
  assert.match(lost.stderr, /does not list this worktree; see `git worktree repair`/);
  const plain = await command(await workspaces.make(':'), 'true');
  assert.doesNotMatch(plain.stderr, /git does not work/);
});

function run(cwd: string, script: string) {
  const identity =
    'git config --global user.name a; git config --global user.email a@example.invalid';
  return command(cwd, `${identity}; ${script}`);
}

async function command(cwd: string, script: string) {
  const result = await bed.coi(['run', '--image', bed.image, '--', 'sh', '-ec', script], { cwd });
  assert.equal(result.status, 0, result.stderr);
  return result;
}
