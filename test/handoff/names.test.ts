// Goal: what editors, shells, agents and builds of the host take for theirs is named by the hand-off report, however the
// agent got it there; what they do not is not.
// Method: real directories.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { incompleteLines } from '../../src/session/handoff/judge.ts';
import { HandoffPlace } from './place.ts';

interface Case {
  readonly title: string;
  readonly before?: string;
  readonly attack: string;
  readonly told: readonly RegExp[];
}

const told: readonly Case[] = [
  {
    title: 'a link called .vscode in a subdirectory, to an old directory',
    before: 'mkdir -p docs/example sub; echo {} > docs/example/tasks.json',
    attack: 'ln -s ../docs/example sub/.vscode',
    told: [/^sub\/\.vscode - an editor runs tasks from it \(a link to docs\/example\)$/],
  },
  {
    title: 'an old link called .vscode to a directory in which a file changed',
    before:
      'mkdir -p conf/code sub; echo {} > conf/code/tasks.json; ln -s ../conf/code sub/.vscode',
    attack: 'echo x > conf/code/tasks.json',
    told: [/^sub\/\.vscode - /],
  },
  {
    title: 'an old link to a file that is another one now, through a link',
    before: 'echo old > a.txt; echo old > b.txt; ln -s a.txt way; ln -s way Makefile',
    attack: 'ln -sfn b.txt way',
    told: [/^Makefile - /],
  },
  {
    title: 'a link of such a name that leads out of the workspace',
    attack: 'mkdir sub; ln -s /etc/hostname sub/.envrc',
    told: [/^sub\/\.envrc - .*a link to \/etc\/hostname/],
  },
  {
    title: 'a link of no telling name that leads out of the workspace',
    attack: 'ln -s /etc output',
    told: [/^output - a link that leads out of the workspace, to \/etc$/],
  },
  {
    title: 'the same on a roundabout way, and in a directory of what is built',
    before: 'mkdir target',
    attack: 'ln -s /usr/../etc output; ln -s /etc target/output',
    told: [
      /^output - a link that leads out of the workspace, to \/usr\/\.\.\/etc$/,
      /^target\/output - a link that leads out of the workspace, to \/etc$/,
    ],
  },
  {
    title: 'an old directory that got the name .vscode',
    before: 'mkdir -p docs/example; echo {} > docs/example/tasks.json',
    attack: 'mv docs/example .vscode',
    told: [/^\.vscode\/tasks\.json - /],
  },
  {
    title: 'the same, when something was made in it afterwards',
    before: 'mkdir -p docs/example; echo {} > docs/example/tasks.json',
    attack: 'mv docs/example .vscode; touch .vscode/new',
    told: [/^\.vscode\/tasks\.json - /, /^\.vscode\/new - /],
  },
  {
    title: 'an old tree of which a part in the midst got its name',
    before: 'mkdir -p x/github/workflows; echo x > x/github/workflows/ci.yml',
    attack: 'mv x/github .github',
    told: [/^\.github\/workflows\/ci\.yml - the build server runs it/],
  },
  {
    title: 'an old directory that got a place',
    before: 'mkdir -p .github/old; echo x > .github/old/ci.yml',
    attack: 'mv .github/old .github/workflows',
    told: [/^\.github\/workflows\/ci\.yml - the build server runs it/],
  },
  {
    title: 'an old package that was moved',
    before: 'mkdir -p deep/evil; echo {} > deep/evil/package.json',
    attack: 'mv deep/evil app',
    told: [/^app\/package\.json - /],
  },
  {
    title: 'an old file that got its name, and one that got a second one',
    before: 'echo x > notes.txt; echo x > more.txt',
    attack: 'mv notes.txt Makefile; ln more.txt .envrc',
    told: [/^Makefile - /, /^\.envrc - /],
  },
  {
    title: 'what lies where much else does',
    attack:
      'for d in target node_modules/x .venv __pycache__; do mkdir -p $d/.vscode; echo {} > $d/.vscode/tasks.json; done; echo {} > target/package.json',
    told: [
      /^target\/\.vscode\/tasks\.json - /,
      /^target\/package\.json - /,
      /^node_modules\/x\/\.vscode\/tasks\.json - /,
      /^\.venv\/\.vscode\/tasks\.json - /,
      /^__pycache__\/\.vscode\/tasks\.json - /,
    ],
  },
  {
    title: 'what lies in a directory of git',
    before: 'git init -q .; mkdir -p .git/objects/ab',
    attack:
      'for d in .git/objects/ab .git/objects/x .git/refs/heads .git/x; do mkdir -p $d/.vscode; echo {} > $d/.vscode/tasks.json; done; echo x > .git/hooks/pre-commit; mkdir .git/rebase-merge; echo "exec x" > .git/rebase-merge/git-rebase-todo',
    told: [
      /^\.git\/objects\/ab\/\.vscode\/tasks\.json - /,
      /^\.git\/objects\/x\/\.vscode\/tasks\.json - /,
      /^\.git\/refs\/heads\/\.vscode\/tasks\.json - /,
      /^\.git\/x\/\.vscode\/tasks\.json - /,
      /^\.git\/hooks\/pre-commit - git runs it/,
      /^\.git\/rebase-merge\/git-rebase-todo - /,
    ],
  },
  {
    title: '.vscode and .husky that were missing',
    attack: 'mkdir .vscode .husky; echo {} > .vscode/tasks.json; echo x > .husky/pre-commit',
    told: [/^\.vscode\/tasks\.json - /, /^\.husky\/pre-commit - /],
  },
  {
    title: 'hidden files that nobody knows',
    attack: 'mkdir .foo; echo x > .foo/bar; echo x > .other',
    told: [/^2 hidden files - coi does not know what reads them, e\.g\. \.foo\/bar$/],
  },
  {
    title: 'files of tools that look for their own',
    attack:
      'touch .nvim.lua .exrc .dir-locals.el .gdbinit lefthook-local.yml flake.nix .mise.toml .pnpmfile.cjs .lfsconfig .bazelrc',
    told: [
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
    told: [/^a\nb\u001b\[2J\/\.vscode\/x - /],
  },
];

for (const { title, before = ':', attack, told: lines } of told)
  test(`told: ${title}`, () => {
    using place = new HandoffPlace();
    place.sh(before);
    place.guarded = ['.git', '.git/config'];
    place.begin();
    assert.deepEqual(place.lines(), [], 'before');
    place.sh(attack);
    const found = place.lines();
    for (const line of lines)
      assert.ok(
        found.some((one) => line.test(one)),
        `${line} in ${JSON.stringify(found)}`,
      );
    assert.equal(found.length, lines.length, JSON.stringify(found));
  });

test('what could not be looked at is told: not to be read, too deep, with a name that is no text', () => {
  using place = new HandoffPlace();
  place.begin();
  place.sh(
    `mkdir "$(printf 'caf\\351')"; perl -e 'for (1 .. 30) { mkdir "0" x 200; chdir "0" x 200 }'`,
  );
  const { notLookedAt } = place.findings();
  assert.deepEqual(
    notLookedAt.map(({ why }) => why),
    ['its name is not UTF-8', 'it lies too deep'],
  );
});

test('a report that was cut off says so first, however it was cut', () => {
  using place = new HandoffPlace();
  place.sh('mkdir a b; cd a; seq 1 60 | xargs touch; cd ../b; seq 1 60 | xargs touch');
  for (const thorough of [true, false]) {
    const { notLookedAt } = place.findings({ thorough, max: 100 });
    assert.deepEqual(notLookedAt, [{ path: 'b', why: 'the workspace has more than 100 entries' }]);
    assert.match(incompleteLines(notLookedAt)[0] ?? '', /not complete/);
  }
  assert.deepEqual(place.findings().notLookedAt, []);
});
