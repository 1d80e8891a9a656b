// Goal: the hand-off report names every file that makes the host's git run a program of the agent.
// Method: each attack on a real directory with the real git; the control is that git runs the program.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HandoffFixture } from './handoff-fixture.ts';

interface Attack {
  readonly title: string;
  /** Commands before the session; `$P` is the program. */
  readonly before?: string;
  readonly attack: string;
  /** Where the user runs git. */
  readonly at: string;
  /** git's arguments; default `status`. */
  readonly args?: readonly string[];
  readonly expected: RegExp;
}

const config =
  'printf \'[core]\\n\\trepositoryformatversion = 0\\n\\tbare = false\\n\\tworktree = .\\n\\tfsmonitor = %s\\n\' "$P"';
const head = 'echo "ref: refs/heads/main"';
/** A directory that git accepts as a repository, with the program in its configuration. */
const repository = (path: string) =>
  `mkdir -p ${path}/objects ${path}/refs; ${head} > ${path}/HEAD; ${config} > ${path}/config`;

const attacks: readonly Attack[] = [
  {
    title: 'a repository in a directory',
    attack: repository('sub/.git'),
    at: 'sub',
    expected: /^sub\/\.git - /,
  },
  {
    title: 'a bare repository',
    attack: repository('sub'),
    at: 'sub',
    expected: /^sub - a bare repo/,
  },
  {
    title: 'a bare repository whose refs is a link',
    attack: `${repository('sub')}; rmdir sub/refs; ln -s ../docs sub/refs; mkdir docs`,
    at: 'sub',
    expected: /^sub - a bare repo/,
  },
  {
    title: 'a bare repository whose objects is an executable file and whose HEAD is a link',
    attack: `mkdir sub; ln -s refs/heads/main sub/HEAD; ln -s ../tool sub/objects; mkdir sub/refs; printf x > tool; chmod +x tool; ${config} > sub/config`,
    at: 'sub',
    expected: /^sub - a bare repo/,
  },
  {
    title: 'a repository of HEAD and commondir with old parts elsewhere',
    before: repository('fixtures/evil'),
    attack: `mkdir -p sub/.git; ${head} > sub/.git/HEAD; echo ../../fixtures/evil > sub/.git/commondir`,
    at: 'sub',
    expected: /^sub\/\.git - /,
  },
  {
    title: 'a bare repository with old parts elsewhere',
    before: `${repository('fixtures/evil')}; printf '\\tsshCommand = %s\\n' "$P" >> fixtures/evil/config`,
    attack: `mkdir sub; ${head} > sub/HEAD; echo ../fixtures/evil > sub/commondir`,
    at: 'sub',
    args: ['ls-remote', 'ssh://host.invalid/x'],
    expected: /^sub - a bare repo/,
  },
  {
    title: 'an old directory that becomes a repository by a rename of a part',
    before: `${repository('sub')}; mv sub/objects sub/things`,
    attack: 'mv sub/things sub/objects',
    at: 'sub',
    expected: /^sub - a bare repo/,
  },
  {
    title: 'an old directory renamed to .git',
    before: repository('sub/gitdir'),
    attack: 'mv sub/gitdir sub/.git',
    at: 'sub',
    expected: /^sub\/\.git - /,
  },
  {
    title: 'an old repository moved with its parent directory',
    before: repository('old/fixture/.git'),
    attack: 'mkdir src; mv old src/lib',
    at: 'src/lib/fixture',
    expected: /^src\/lib\/fixture\/\.git - /,
  },
  {
    title: 'an old repository moved with its parent directory, which changed later',
    before: repository('old/fixture/.git'),
    attack: 'mkdir src; mv old src/lib; touch src/lib/new',
    at: 'src/lib/fixture',
    expected: /^src\/lib\/fixture\/\.git - /,
  },
  {
    title: 'a .git file that names an old directory',
    before: repository('store'),
    attack: 'mkdir sub; echo "gitdir: ../store" > sub/.git',
    at: 'sub',
    expected: /^sub\/\.git - /,
  },
  {
    title: 'a .git link to an old directory',
    before: repository('store'),
    attack: 'mkdir sub; ln -s ../store sub/.git',
    at: 'sub',
    expected: /^sub\/\.git - /,
  },
  {
    title: 'an old .git link through a replaced directory',
    before: `mkdir -p sub a; ln -s ../a/store sub/.git; ${repository('b/store')}`,
    attack: 'rmdir a; mv b a',
    at: 'sub',
    expected: /^sub\/\.git - /,
  },
  {
    title: 'an old .git file that names a replaced directory',
    before: `mkdir -p sub a; echo "gitdir: ../a/store" > sub/.git; ${repository('b/store')}`,
    attack: 'rmdir a; mv b a',
    at: 'sub',
    expected: /^sub\/\.git - /,
  },
  {
    title: 'a new link to a directory with an old repository',
    before: repository('fixtures/evil/.git'),
    attack: 'ln -s fixtures/evil lib',
    at: 'lib',
    expected: /^lib - /,
  },
  {
    title: 'a new configuration of an old repository',
    before: `git init -q sub`,
    attack: `${config} > sub/.git/config`,
    at: 'sub',
    expected: /^sub\/\.git - /,
  },
  {
    title: 'a configuration that is a link to an old file',
    before: `git init -q sub; mkdir docs; ${config} > docs/example`,
    attack: 'ln -sf ../../docs/example sub/.git/config',
    at: 'sub',
    expected: /^sub\/\.git - /,
  },
  ...[
    'target',
    'node_modules',
    '.venv',
    '__pycache__',
    '.git/objects/x',
    '.git/objects/ab',
    '.git/refs',
    '.git/lfs',
  ].map((directory) => ({
    title: `a repository in ${directory}`,
    before: `git init -q .; mkdir -p ${directory}`,
    attack: repository(`${directory}/.git`),
    at: directory,
    expected: new RegExp(`^${directory.replaceAll('.', '\\.')}/\\.git - `),
  })),
  {
    title: 'commondir names a directory whose name is not ASCII',
    attack: `mkdir -p sub/.git d/é/objects d/é/refs; ${head} > sub/.git/HEAD; printf ../../d/é > sub/.git/commondir; ${config} > d/é/config`,
    at: 'sub',
    expected: /^sub\/\.git - /,
  },
  {
    title: 'commondir names a directory whose name is not text',
    attack: `D=$(printf 'e\\377'); mkdir -p sub/.git "$D/objects" "$D/refs"; ${head} > sub/.git/HEAD; printf '../../%s' "$D" > sub/.git/commondir; ${config} > "$D/config"`,
    at: 'sub',
    expected: /^sub\/\.git - a repository that git may resolve differently than coi/,
  },
  {
    title: 'commondir has a NUL, at which git stops reading',
    attack: `mkdir -p sub/.git e/objects e/refs; ${head} > sub/.git/HEAD; printf '../../e\\0j' > sub/.git/commondir; ${config} > e/config`,
    at: 'sub',
    expected: /^sub\/\.git - /,
  },
  {
    title: 'commondir names a path of the process that reads it',
    attack: `mkdir -p sub/.git sub/y/objects sub/y/refs; ${head} > sub/.git/HEAD; echo /proc/self/cwd/y > sub/.git/commondir; ${config} > sub/y/config`,
    at: 'sub',
    expected: /^sub\/\.git - a repository that git may resolve differently than coi/,
  },
  {
    title: 'objects is an indirect link to a path of the process that reads it',
    attack: `mkdir -p sub/.git/refs sub/o; ln -s ../../../../../../../../proc/self/cwd/o sub/.git/objects; ${head} > sub/.git/HEAD; ${config} > sub/.git/config`,
    at: 'sub',
    expected: /^sub\/\.git - a repository that git may resolve differently than coi/,
  },
];

for (const { title, before = ':', attack, at, args, expected } of attacks)
  test(`the host's git runs a program and the report names it: ${title}`, () => {
    using setup = new HandoffFixture();
    setup.sh(`P=${setup.program}; ${before}`);
    setup.guarded = ['.git', '.git/config', '.git/hooks'];
    setup.begin();
    assert.deepEqual(setup.lines(), [], 'before the attack');
    setup.sh(`P=${setup.program}; ${attack}`);
    assert.ok(setup.gitRuns(at, args), 'git does not run it');
    const lines = setup.lines();
    assert.ok(
      lines.some((line) => expected.test(line)),
      JSON.stringify(lines),
    );
  });
