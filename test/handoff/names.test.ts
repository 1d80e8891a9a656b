// Goal: the hand-off report names files that editors, shells, agents and builds on the host load, however the agent
// created them, and no others.
// Method: real directories.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { incompleteLines } from '../../src/session/handoff/findings.ts';
import { HandoffFixture } from './handoff-fixture.ts';

interface Case {
  readonly title: string;
  readonly before?: string;
  readonly attack: string;
  readonly expected: readonly RegExp[];
}

const messages: readonly Case[] = [
  {
    title: 'a link .vscode in a subdirectory to an old directory',
    before: 'mkdir -p docs/example sub; echo {} > docs/example/tasks.json',
    attack: 'ln -s ../docs/example sub/.vscode',
    expected: [/^sub\/\.vscode - an editor runs tasks from it \(a link to docs\/example\)$/],
  },
  {
    title: 'an old link .vscode to a directory with a changed file',
    before:
      'mkdir -p conf/code sub; echo {} > conf/code/tasks.json; ln -s ../conf/code sub/.vscode',
    attack: 'echo x > conf/code/tasks.json',
    expected: [/^sub\/\.vscode - /],
  },
  {
    title: 'an old link whose target changed through another link',
    before: 'echo old > a.txt; echo old > b.txt; ln -s a.txt way; ln -s way Makefile',
    attack: 'ln -sfn b.txt way',
    expected: [/^Makefile - /],
  },
  {
    title: 'a link with a known name that leads out of the workspace',
    attack: 'mkdir sub; ln -s /etc/hostname sub/.envrc',
    expected: [/^sub\/\.envrc - .*a link to \/etc\/hostname/],
  },
  {
    title: 'a link with an unknown name that leads out of the workspace',
    attack: 'ln -s /etc output',
    expected: [/^output - a link that leads out of the workspace, to \/etc$/],
  },
  {
    title: 'a link out through an indirect path, and in a build directory',
    before: 'mkdir target',
    attack: 'ln -s /usr/../etc output; ln -s /etc target/output',
    expected: [
      /^output - a link that leads out of the workspace, to \/usr\/\.\.\/etc$/,
      /^target\/output - a link that leads out of the workspace, to \/etc$/,
    ],
  },
  {
    title: 'an old directory renamed to .vscode',
    before: 'mkdir -p docs/example; echo {} > docs/example/tasks.json',
    attack: 'mv docs/example .vscode',
    expected: [/^\.vscode\/tasks\.json - /],
  },
  {
    title: 'an old directory renamed to .vscode with a file added later',
    before: 'mkdir -p docs/example; echo {} > docs/example/tasks.json',
    attack: 'mv docs/example .vscode; touch .vscode/new',
    expected: [/^\.vscode\/tasks\.json - /, /^\.vscode\/new - /],
  },
  {
    title: 'an old tree with a renamed middle part',
    before: 'mkdir -p x/github/workflows; echo x > x/github/workflows/ci.yml',
    attack: 'mv x/github .github',
    expected: [/^\.github\/workflows\/ci\.yml - the build server runs it/],
  },
  {
    title: 'an old directory moved below .github',
    before: 'mkdir -p .github/old; echo x > .github/old/ci.yml',
    attack: 'mv .github/old .github/workflows',
    expected: [/^\.github\/workflows\/ci\.yml - the build server runs it/],
  },
  {
    title: 'an old package that moved',
    before: 'mkdir -p deep/evil; echo {} > deep/evil/package.json',
    attack: 'mv deep/evil app',
    expected: [/^app\/package\.json - /],
  },
  {
    title: 'an old file renamed to a known name, and one hard-linked to it',
    before: 'echo x > notes.txt; echo x > more.txt',
    attack: 'mv notes.txt Makefile; ln more.txt .envrc',
    expected: [/^Makefile - /, /^\.envrc - /],
  },
  {
    title: 'files in directories of dependencies and builds',
    attack:
      'for d in target node_modules/x .venv __pycache__; do mkdir -p $d/.vscode; echo {} > $d/.vscode/tasks.json; done; echo {} > target/package.json',
    expected: [
      /^target\/\.vscode\/tasks\.json - /,
      /^target\/package\.json - /,
      /^node_modules\/x\/\.vscode\/tasks\.json - /,
      /^\.venv\/\.vscode\/tasks\.json - /,
      /^__pycache__\/\.vscode\/tasks\.json - /,
    ],
  },
  {
    title: 'files in a git directory',
    before: 'git init -q .; mkdir -p .git/objects/ab',
    attack:
      'for d in .git/objects/ab .git/objects/x .git/refs/heads .git/x; do mkdir -p $d/.vscode; echo {} > $d/.vscode/tasks.json; done; echo x > .git/hooks/pre-commit; mkdir .git/rebase-merge; echo "exec x" > .git/rebase-merge/git-rebase-todo',
    expected: [
      /^\.git\/objects\/ab\/\.vscode\/tasks\.json - /,
      /^\.git\/objects\/x\/\.vscode\/tasks\.json - /,
      /^\.git\/refs\/heads\/\.vscode\/tasks\.json - /,
      /^\.git\/x\/\.vscode\/tasks\.json - /,
      /^\.git\/hooks\/pre-commit - git runs it/,
      /^\.git\/rebase-merge\/git-rebase-todo - /,
    ],
  },
  {
    title: 'new directories .vscode and .husky',
    attack: 'mkdir .vscode .husky; echo {} > .vscode/tasks.json; echo x > .husky/pre-commit',
    expected: [/^\.vscode\/tasks\.json - /, /^\.husky\/pre-commit - /],
  },
  {
    title: 'unknown hidden files',
    attack: 'mkdir .foo; echo x > .foo/bar; echo x > .other',
    expected: [/^2 hidden files - coi does not know what reads them, e\.g\. \.foo\/bar$/],
  },
  {
    title: 'configuration files of various tools',
    attack:
      'touch .nvim.lua .exrc .dir-locals.el .gdbinit lefthook-local.yml flake.nix .mise.toml .pnpmfile.cjs .lfsconfig .bazelrc',
    expected: [
      /\.nvim\.lua/,
      /\.exrc/,
      /\.dir-locals/,
      /\.gdbinit/,
      /lefthook/,
      /flake/,
      /\.mise/,
      /pnpmfile/,
      /lfsconfig/,
      /bazelrc/,
    ],
  },
  {
    title: 'a name with a line break and an escape',
    attack:
      'mkdir -p "$(printf \'a\\nb\\033[2J\')/.vscode"; echo {} > "$(printf \'a\\nb\\033[2J\')/.vscode/x"',
    expected: [/^a\nb\u001b\[2J\/\.vscode\/x - /],
  },
];

for (const { title, before = ':', attack, expected: lines } of messages)
  test(`reported: ${title}`, () => {
    using fixture = new HandoffFixture();
    fixture.sh(before);
    fixture.guarded = ['.git', '.git/config'];
    fixture.begin();
    assert.deepEqual(fixture.lines(), [], 'before');
    fixture.sh(attack);
    const found = fixture.lines();
    for (const line of lines)
      assert.ok(
        found.some((one) => line.test(one)),
        `${line} in ${JSON.stringify(found)}`,
      );
    assert.equal(found.length, lines.length, JSON.stringify(found));
  });

test('unchecked paths are reported: unreadable, too deep, or with a name that is not text', () => {
  using fixture = new HandoffFixture();
  fixture.begin();
  fixture.sh(
    `mkdir "$(printf 'caf\\351')"; perl -e 'for (1 .. 30) { mkdir "0" x 200; chdir "0" x 200 }'`,
  );
  const { notLookedAt } = fixture.findings();
  assert.deepEqual(
    notLookedAt.map(({ why }) => why),
    ['its name is not UTF-8', 'its path is too long'],
  );
});

test('a truncated report says so first, however it was truncated', () => {
  using fixture = new HandoffFixture();
  fixture.sh('mkdir a b; cd a; seq 1 60 | xargs touch; cd ../b; seq 1 60 | xargs touch');
  for (const thorough of [true, false]) {
    const { notLookedAt } = fixture.findings({ thorough, max: 100 });
    assert.deepEqual(notLookedAt, [{ path: 'b', why: 'the workspace has more than 100 entries' }]);
    assert.match(incompleteLines(notLookedAt)[0] ?? '', /incomplete/);
  }
  assert.deepEqual(fixture.findings().notLookedAt, []);
});
