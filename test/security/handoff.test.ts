// Goal: the hand-off report of real sessions is empty after ordinary work, and complete whatever the agent wrote.
// Method: the built program in workspaces of several kinds, with real guards by coid.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { Workspaces } from '../bed/workspace.ts';

const timeout = 120_000;
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

const commit = 'git -c user.name=a -c user.email=a@example.invalid commit -q --allow-empty -m x';
const repository = `git init -q .; ${commit}`;

const kinds: Readonly<Record<string, string>> = {
  'an empty directory': ':',
  'a fresh repository': 'git init -q .',
  'a repository with a worktree': `${repository}; git worktree add -q tree -b tree`,
  'a repository with seventy worktrees in it': `${repository}; for n in $(seq 70); do git worktree add -q .trees/$n -b b$n; done`,
  'a repository with a submodule': `${repository}; git init -q lib.origin; (cd lib.origin; ${commit}); git -c protocol.file.allow=always submodule --quiet add ./lib.origin lib; ${commit}`,
  'a repository with what is protected': `${repository}; mkdir .vscode .claude .husky; echo {} > .vscode/tasks.json; echo {} > .claude/settings.json; echo x > .husky/pre-commit; echo {} > .mcp.json`,
};

for (const [title, script] of Object.entries(kinds))
  test(`an ordinary command reports nothing at hand-off in ${title}`, { timeout }, async () => {
    const cwd = await workspaces.make(script);
    const result = await run(cwd, 'true');
    assert.doesNotMatch(result.stderr, /might execute|incomplete|not checked/);
    const answer = await bed.coi(['handoff'], { cwd });
    assert.match(answer.stdout, /^No changes that the host might execute/);
    assert.equal(answer.status, 0);
  });

test('commits, branches, gc and a worktree made inside are one line, for the copied project', {
  timeout,
}, async () => {
  const cwd = await workspaces.make(
    `${repository}; echo {} > package.json; printf 'all:\\n' > Makefile; git add .; ${commit}`,
  );
  const inside = `git config --global user.name a; git config --global user.email a@example.invalid
git checkout -qb topic; echo x > a; git add .; git commit -qm a; git worktree add -q .claude/worktrees/one -b one; git gc -q; true`;
  await run(cwd, inside);
  const { stdout } = await bed.coi(['handoff'], { cwd });
  assert.match(stdout, /^FILE +WHY\n\.claude\/worktrees\/one\/ +2 such files/);
  assert.equal(stdout.trim().split('\n').length, 2, stdout);
});

test('files that the agent writes for coi do not suppress the report', {
  timeout,
}, async () => {
  const cwd = await workspaces.make(repository);
  const result = await run(
    cwd,
    "mkdir .coi; echo 'broken [' > .coi/config.toml; printf 'all:\\n' > Makefile",
  );
  assert.match(
    result.stderr,
    /2 changed files .* that the host might execute: \.coi\/config\.toml, Makefile; see `coi handoff`/,
  );
  const { stdout } = await bed.coi(['handoff'], { cwd });
  assert.match(stdout, /\.coi\/config\.toml +coi reads session settings from it$/m);
  assert.match(stdout, /Makefile +a build runs commands from it/);
});

test('guarded files that the user changed meanwhile are not attributed to the agent', {
  timeout,
}, async () => {
  const cwd = await workspaces.make(
    `${repository}; mkdir .coi .vscode; echo > .coi/config.toml; echo {} > .vscode/tasks.json`,
  );
  const shell = ['shell', '--image', bed.image, '--background', '--json'];
  const { container } = JSON.parse((await bed.coi(shell, { cwd })).stdout);
  const inside = async (user: number, script: string) => {
    const command = ['sh', '-c', `cd /workspace; ${script}`];
    return (await bed.incus.execCaptured(container, { command, user, group: user })).status;
  };
  for (const user of [0, 1000])
    assert.notEqual(await inside(user, 'echo x > .coi/config.toml'), 0, 'the control');
  assert.equal(await inside(1000, "printf 'all:\\n' > Makefile"), 0);
  // In place, and as editors do it.
  const edits = `cd ${cwd}; echo '# mine' > .coi/config.toml; echo '{ }' > .vscode/new; mv .vscode/new .vscode/tasks.json`;
  assert.equal((await bed.user.run(['sh', '-c', edits])).status, 0);
  const assertReported = (text: string) => {
    assert.match(
      text,
      /\.coi\/config\.toml +(- )?coi reads session settings .*; changed from outside/,
    );
    assert.match(text, /\.vscode\/tasks\.json +(- )?an editor runs .*; changed from outside/);
    assert.match(text, /Makefile +(- )?a build runs commands from it$/m);
  };
  assertReported((await bed.coi(['handoff'], { cwd })).stdout);
  assertReported((await bed.coi(['shutdown', container], { cwd })).stderr);
  assertReported((await bed.coi(['handoff'], { cwd })).stdout);
});

test('missing protected directories are reported when created or renamed, watched or not', {
  timeout,
}, async () => {
  const cwd = await workspaces.make(
    `${repository}; mkdir -p docs/example; echo {} > docs/example/tasks.json`,
  );
  await run(cwd, 'mv docs/example .vscode; mkdir .husky; echo x > .husky/pre-commit');
  const { stdout } = await bed.coi(['handoff'], { cwd });
  assert.match(stdout, /\.vscode\/tasks\.json +an editor runs tasks from it/);
  assert.match(stdout, /\.husky\/pre-commit +git hooks are generated from it/);
});

test('unreadable paths come first, in text and JSON, and set the exit status', {
  timeout,
}, async () => {
  const cwd = await workspaces.make(repository);
  await run(cwd, 'mkdir closed; printf "all:\\n" > Makefile; chmod 0 closed');
  const answer = await bed.coi(['handoff'], { cwd });
  assert.equal(answer.status, 1);
  assert.match(answer.stdout, /^Warning: this report is incomplete\. Not checked:\n {2}closed - /);
  assert.match(answer.stdout, /Makefile/);
  const json = JSON.parse((await bed.coi(['handoff', '--json'], { cwd })).stdout);
  assert.equal(json.complete, false);
  assert.deepEqual(json.not_looked_at, [{ path: 'closed', why: 'it cannot be read by this user' }]);
  await bed.user.run(['chmod', '755', join(cwd, 'closed')]);
  assert.equal((await bed.coi(['handoff'], { cwd })).status, 0);
});

async function run(cwd: string, script: string) {
  const result = await bed.coi(['run', '--image', bed.image, '--', 'sh', '-ec', script], { cwd });
  assert.equal(result.status, 0, result.stderr);
  return result;
}
