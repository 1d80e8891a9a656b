// Goal: whatever makes the host's git run a program of the agent's is named by the hand-off report.
// Method: each attack on a real directory with the real git; the control is that git runs the program.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HandoffPlace } from './place.ts';

interface Attack {
  readonly title: string;
  /** What was there before the session; `$P` is the program. */
  readonly before?: string;
  readonly attack: string;
  /** Where the user calls git. */
  readonly at: string;
  /** Words for git; `status` without. */
  readonly args?: readonly string[];
  readonly told: RegExp;
}

const config =
  'printf \'[core]\\n\\trepositoryformatversion = 0\\n\\tbare = false\\n\\tworktree = .\\n\\tfsmonitor = %s\\n\' "$P"';
const head = 'echo "ref: refs/heads/main"';
/** A directory that git takes for a repository, with the program in its configuration. */
const repository = (path: string) =>
  `mkdir -p ${path}/objects ${path}/refs; ${head} > ${path}/HEAD; ${config} > ${path}/config`;

const attacks: readonly Attack[] = [
  {
    title: 'a repository in a directory',
    attack: repository('sub/.git'),
    at: 'sub',
    told: /^sub\/\.git - /,
  },
  { title: 'a bare repository', attack: repository('sub'), at: 'sub', told: /^sub - a bare repo/ },
  {
    title: 'a bare repository whose refs is a link',
    attack: `${repository('sub')}; rmdir sub/refs; ln -s ../docs sub/refs; mkdir docs`,
    at: 'sub',
    told: /^sub - a bare repo/,
  },
  {
    title: 'a bare repository whose objects is an executable file and whose HEAD is a link',
    attack: `mkdir sub; ln -s refs/heads/main sub/HEAD; ln -s ../tool sub/objects; mkdir sub/refs; printf x > tool; chmod +x tool; ${config} > sub/config`,
    at: 'sub',
    told: /^sub - a bare repo/,
  },
  {
    title: 'a repository of HEAD and commondir, whose other parts lie elsewhere and are old',
    before: repository('fixtures/evil'),
    attack: `mkdir -p sub/.git; ${head} > sub/.git/HEAD; echo ../../fixtures/evil > sub/.git/commondir`,
    at: 'sub',
    told: /^sub\/\.git - /,
  },
  {
    title: 'a bare one of these',
    before: `${repository('fixtures/evil')}; printf '\\tsshCommand = %s\\n' "$P" >> fixtures/evil/config`,
    attack: `mkdir sub; ${head} > sub/HEAD; echo ../fixtures/evil > sub/commondir`,
    at: 'sub',
    args: ['ls-remote', 'ssh://host.invalid/x'],
    told: /^sub - a bare repo/,
  },
  {
    title: 'an old directory that is a repository since its part was given its name',
    before: `${repository('sub')}; mv sub/objects sub/things`,
    attack: 'mv sub/things sub/objects',
    at: 'sub',
    told: /^sub - a bare repo/,
  },
  {
    title: 'an old directory that got the name .git',
    before: repository('sub/gitdir'),
    attack: 'mv sub/gitdir sub/.git',
    at: 'sub',
    told: /^sub\/\.git - /,
  },
  {
    title: 'an old repository that was moved with the directory above it',
    before: repository('old/fixture/.git'),
    attack: 'mkdir src; mv old src/lib',
    at: 'src/lib/fixture',
    told: /^src\/lib\/fixture\/\.git - /,
  },
  {
    title: 'an old repository that was moved with the directory above it, which changed afterwards',
    before: repository('old/fixture/.git'),
    attack: 'mkdir src; mv old src/lib; touch src/lib/new',
    at: 'src/lib/fixture',
    told: /^src\/lib\/fixture\/\.git - /,
  },
  {
    title: 'a file .git that names an old directory',
    before: repository('store'),
    attack: 'mkdir sub; echo "gitdir: ../store" > sub/.git',
    at: 'sub',
    told: /^sub\/\.git - /,
  },
  {
    title: 'a link .git to an old directory',
    before: repository('store'),
    attack: 'mkdir sub; ln -s ../store sub/.git',
    at: 'sub',
    told: /^sub\/\.git - /,
  },
  {
    title: 'an old link .git through a directory that was put in its place',
    before: `mkdir -p sub a; ln -s ../a/store sub/.git; ${repository('b/store')}`,
    attack: 'rmdir a; mv b a',
    at: 'sub',
    told: /^sub\/\.git - /,
  },
  {
    title: 'an old file .git that names what was put in its place',
    before: `mkdir -p sub a; echo "gitdir: ../a/store" > sub/.git; ${repository('b/store')}`,
    attack: 'rmdir a; mv b a',
    at: 'sub',
    told: /^sub\/\.git - /,
  },
  {
    title: 'a new link to a directory with an old repository',
    before: repository('fixtures/evil/.git'),
    attack: 'ln -s fixtures/evil lib',
    at: 'lib',
    told: /^lib - /,
  },
  {
    title: 'a new configuration of an old repository',
    before: `git init -q sub`,
    attack: `${config} > sub/.git/config`,
    at: 'sub',
    told: /^sub\/\.git - /,
  },
  {
    title: 'a configuration that is a link to an old file',
    before: `git init -q sub; mkdir docs; ${config} > docs/example`,
    attack: 'ln -sf ../../docs/example sub/.git/config',
    at: 'sub',
    told: /^sub\/\.git - /,
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
    told: new RegExp(`^${directory.replaceAll('.', '\\.')}/\\.git - `),
  })),
  {
    title: 'commondir names a directory whose name is not ASCII',
    attack: `mkdir -p sub/.git d/é/objects d/é/refs; ${head} > sub/.git/HEAD; printf ../../d/é > sub/.git/commondir; ${config} > d/é/config`,
    at: 'sub',
    told: /^sub\/\.git - /,
  },
  {
    title: 'commondir names a directory whose name is no text',
    attack: `D=$(printf 'e\\377'); mkdir -p sub/.git "$D/objects" "$D/refs"; ${head} > sub/.git/HEAD; printf '../../%s' "$D" > sub/.git/commondir; ${config} > "$D/config"`,
    at: 'sub',
    told: /^sub\/\.git - a repository that git may find elsewhere/,
  },
  {
    title: 'commondir has a NUL, at which git stops reading',
    attack: `mkdir -p sub/.git e/objects e/refs; ${head} > sub/.git/HEAD; printf '../../e\\0j' > sub/.git/commondir; ${config} > e/config`,
    at: 'sub',
    told: /^sub\/\.git - /,
  },
  {
    title: 'commondir names a path of the process that reads it',
    attack: `mkdir -p sub/.git sub/y/objects sub/y/refs; ${head} > sub/.git/HEAD; echo /proc/self/cwd/y > sub/.git/commondir; ${config} > sub/y/config`,
    at: 'sub',
    told: /^sub\/\.git - a repository that git may find elsewhere/,
  },
  {
    title: 'objects is a link to a path of the process that reads it, on a roundabout way',
    attack: `mkdir -p sub/.git/refs sub/o; ln -s ../../../../../../../../proc/self/cwd/o sub/.git/objects; ${head} > sub/.git/HEAD; ${config} > sub/.git/config`,
    at: 'sub',
    told: /^sub\/\.git - a repository that git may find elsewhere/,
  },
];

for (const { title, before = ':', attack, at, args, told } of attacks)
  test(`the host's git runs a program, and the report names it: ${title}`, () => {
    using place = new HandoffPlace();
    place.sh(`P=${place.program}; ${before}`);
    place.guarded = ['.git', '.git/config', '.git/hooks'];
    place.begin();
    assert.deepEqual(place.lines(), [], 'before the attack');
    place.sh(`P=${place.program}; ${attack}`);
    assert.ok(place.gitRuns(at, args), 'git does not run it');
    const lines = place.lines();
    assert.ok(
      lines.some((line) => told.test(line)),
      JSON.stringify(lines),
    );
  });
