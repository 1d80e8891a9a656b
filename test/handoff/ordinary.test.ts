// Goal: ordinary sessions produce no false report line.
// Method: everyday work of agents, in real directories with the real git, with the guard as coid records it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HandoffFixture } from './handoff-fixture.ts';

const project = `git init -q .; git config user.name x; mkdir -p src docs .github/workflows .vscode .claude
echo node_modules > .gitignore; echo '{"name":"x"}' > package.json; printf 'all:\\n' > Makefile
echo x > .github/workflows/ci.yml; echo {} > .vscode/tasks.json; echo {} > .claude/settings.json
for i in $(seq 1 50); do echo $i > src/f$i.ts; done; git add .; git commit -qm first`;

const guarded = [
  ...['.git', '.git/config', '.git/hooks', '.git/config.worktree', '.git/commondir'],
  ...[
    '.git/info',
    '.git/info/attributes',
    '.vscode',
    '.vscode/tasks.json',
    '.claude',
    '.claude/settings.json',
  ],
];

const ordinary: Readonly<Record<string, string>> = {
  'an idle session': ':',
  'writes by editors':
    'echo x > src/f1.ts; echo y > src/new; mv src/new src/f2.ts; echo x > README.md',
  'commits, branches, merges and rebases':
    'git checkout -qb topic; echo x > src/a.ts; git add .; git commit -qm a; git checkout -q -; echo y > src/b.ts; git add .; git commit -qm b; git merge -q topic -m m; git checkout -q topic; git rebase -q -; git stash list; git tag t',
  'gc and packing': 'git gc -q; git repack -adq; git pack-refs --all; git prune',
  'a branch with the file name of a tool': 'git branch Makefile; git branch topic/package.json',
  'installed dependencies':
    'for i in $(seq 1 50); do mkdir -p node_modules/p$i/.github/workflows node_modules/p$i/lib; echo {} > node_modules/p$i/package.json; echo x > node_modules/p$i/Makefile; echo x > node_modules/p$i/.npmignore; echo x > node_modules/p$i/.eslintrc; echo x > node_modules/p$i/.travis.yml; echo x > node_modules/p$i/.github/workflows/x.yml; done; echo {} > node_modules/.package-lock.json; mkdir node_modules/.bin; ln -s ../p1/x node_modules/.bin/x',
  'build output':
    'mkdir -p target/debug/.fingerprint/a target/debug/deps dist; echo x > target/.rustc_info.json; touch target/debug/.cargo-lock target/CACHEDIR.TAG target/debug/.fingerprint/a/dep target/debug/app dist/main.js; chmod +x target/debug/app; mkdir -p src/__pycache__ .pytest_cache/v; touch src/__pycache__/a.pyc .pytest_cache/v/x .coverage',
  'placeholders of coid':
    'echo . > .git/commondir; : > .git/config.worktree; mkdir -p .git/info; : > .git/info/attributes',
  'guards added and removed':
    'chmod 600 .git/config .vscode/tasks.json .claude/settings.json; chmod 700 .git .vscode .claude .git/hooks; chmod 644 .git/config; chmod 755 .git .claude',
  'host writes to its git configuration':
    'git config user.email a@example.invalid; git remote add o https://example.invalid/x; git branch x; git config branch.x.remote o',
};

for (const [title, script] of Object.entries(ordinary))
  test(`not reported: ${title}`, () => {
    using fixture = new HandoffFixture();
    fixture.sh(project);
    fixture.guarded = guarded;
    fixture.begin();
    fixture.sh(script);
    assert.deepEqual(fixture.lines(), []);
  });

test('a written guarded file is reported as not written by a session, an unguarded one without that note', () => {
  using fixture = new HandoffFixture();
  fixture.sh(project);
  fixture.guarded = guarded;
  fixture.begin();
  fixture.sh(
    'echo "{ }" > .vscode/tasks.json; echo {} > .vscode/launch.json; echo x > .claude/settings.json',
  );
  const outside = '; changed from outside of the session, in which it was read-only';
  const result = new Map(fixture.findings().files.map(({ path, why }) => [path, why]));
  assert.deepEqual(
    ['.vscode/tasks.json', '.claude/settings.json', '.vscode/launch.json'].map((path) =>
      result.get(path)?.endsWith(outside),
    ),
    [true, true, false],
  );
});

test('installed and built files are counted if requested', () => {
  using fixture = new HandoffFixture();
  fixture.sh(project);
  fixture.begin();
  fixture.sh(
    'mkdir -p node_modules/x; echo x > node_modules/x/index.js; echo {} > node_modules/x/package.json',
  );
  assert.deepEqual(fixture.findings().installed, [{ path: 'node_modules', changed: 2 }]);
});

test('a new worktree is at most one line, and its repository none', () => {
  using fixture = new HandoffFixture();
  fixture.sh(project);
  fixture.guarded = guarded;
  fixture.begin();
  fixture.sh(
    'git worktree add -q .claude/worktrees/one -b one; git worktree add -q .trees/two -b two',
  );
  const lines = fixture.lines();
  assert.equal(lines.length, 2, JSON.stringify(lines));
  assert.match(lines[0] ?? '', /^\.claude\/worktrees\/one\/ - 5 such files, e\.g\. /);
  assert.match(lines[1] ?? '', /^\.trees\/two\/ - 5 such files/);
});

test('existing worktrees and submodules are not reported when guards are added and removed', () => {
  using fixture = new HandoffFixture();
  fixture.sh(`${project}; git init -q ../other; git -C ../other commit -q --allow-empty -m x
git -c protocol.file.allow=always submodule add -q "$(realpath ../other)" lib; git commit -qm lib; git worktree add -q tree -b t`);
  const module = '.git/modules/lib';
  fixture.guarded = [
    ...[...guarded, module, `${module}/config`, `${module}/hooks`, `${module}/info`],
    ...['commondir', 'gitdir', 'config.worktree'].map((name) => `.git/worktrees/tree/${name}`),
  ];
  fixture.begin();
  fixture.sh(`chmod 600 ${module}/config .git/worktrees/tree/commondir; chmod 700 ${module} ${module}/hooks
chmod 644 ${module}/config; echo x > lib/a; git -C lib add .; git -C lib commit -qm a; echo x > tree/new; git -C tree add .; git -C tree commit -qm b`);
  assert.deepEqual(fixture.lines(), []);
});

test('an unguarded repository in the project is reported only if it runs programs', () => {
  using fixture = new HandoffFixture();
  fixture.sh('git init -q a; git -C a commit -q --allow-empty -m x');
  fixture.begin();
  fixture.sh('echo x > a/f; git -C a add .; git -C a commit -qm y; git -C a checkout -qb z');
  assert.deepEqual(fixture.lines(), []);
  fixture.sh('git -C a config core.fsmonitor ./x');
  assert.equal(fixture.lines().length, 1);
});
