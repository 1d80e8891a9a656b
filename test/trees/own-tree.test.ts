// Sessions in trees of their own: the user's directory stays as it is, and each tree shows its own changes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { content, makeTreeBed, summary } from './tree-bed.ts';

const timeout = 180_000;

test('a session in a tree of its own changes nothing in the directory, and a second start joins it', {
  timeout,
}, async () => {
  await using tests = await makeTreeBed();
  await tests.host(
    'echo staged >>a.txt; git add a.txt; echo unstaged >>b.txt; echo new >untracked',
  );
  const before = await tests.state();
  const name = await tests.start('login');
  assert.equal(await tests.start('login'), name);
  assert.equal(await tests.inside(name, 'git branch --show-current'), 'login');
  assert.equal(
    await tests.inside(name, 'git status --porcelain; ls -a'),
    ['.', '..', '.git', '.gitignore', 'a.txt', 'b.txt', 'c.txt', 'd.txt', 'e.txt', 'src'].join(
      '\n',
    ),
  );
  await tests.inside(name, 'echo changed >a.txt; echo more >more.txt; git add .; git commit -qm x');
  assert.equal(await tests.state(), before);
  assert.deepEqual(summary(await tests.diff('login')), ['modified a.txt', 'added more.txt']);
  assert.equal(await tests.state(), before);
});

test('two trees of one repository do not see each other, and each has its own changes', {
  timeout,
}, async () => {
  await using tests = await makeTreeBed();
  const [one, two] = await Promise.all([tests.start('one'), tests.start('feature/two')]);
  await tests.inside(one, 'echo one >a.txt');
  await tests.inside(two, 'echo two >a.txt; echo two >b.txt');
  assert.equal(await tests.inside(one, 'cat a.txt; git branch --list feature/two'), 'one');
  const [ofOne, ofTwo] = await Promise.all([tests.diff('one'), tests.diff('feature/two')]);
  assert.deepEqual(summary(ofOne), ['modified a.txt']);
  assert.deepEqual(summary(ofTwo), ['modified a.txt', 'modified b.txt']);
  const mounts = await tests.inside(one, 'cat /proc/self/mountinfo');
  assert.doesNotMatch(mounts, /two/);
  const listed = JSON.parse(await tests.ok('trees', '--json')) as {
    name: string;
    branch: string;
  }[];
  assert.deepEqual(listed.map(({ branch }) => branch).sort(), ['feature/two', 'one']);
  assert.match(await tests.ok('list', '--json'), /"branch": "feature\/two"/);
});

test('a diff shows every kind of change, committed or not, while the session runs and after it', {
  timeout,
}, async () => {
  await using tests = await makeTreeBed();
  const name = await tests.start('kinds');
  await tests.inside(
    name,
    `echo x >>a.txt; git commit -qam a
git rm -q b.txt; git mv c.txt 'c new.txt'; git commit -qm b
chmod +x src/run.sh; ln -s /etc/passwd link; rm e.txt; ln -s a.txt e.txt
printf x >$'new\\nline\\e[31m'; printf x >$'bad\\xff'; head -c 100000 /dev/urandom >binary
mkdir build; echo ignored >build/out; mkfifo fifo; git init -q nested; echo n >nested/n
head -c 60000000 /dev/zero >huge; echo '{}' >package.json`,
  );
  const found = await tests.diff('kinds');
  assert.deepEqual(summary(found), [
    'modified a.txt',
    'deleted b.txt',
    'added bad\ufffd',
    'added binary',
    'renamed c.txt c new.txt',
    'type e.txt',
    'added link',
    'added new\nline\u001b[31m',
    'added package.json',
    'modified src/run.sh',
  ]);
  assert.deepEqual(found.changes.at(-1)?.modes, ['100644', '100755']);
  assert.deepEqual(found.left_behind.map(({ path }) => path).sort(), ['huge', 'nested/']);
  assert.deepEqual(
    found.changes.filter(({ mark }) => mark !== null).map(({ path }) => path),
    ['e.txt', 'link', 'package.json'],
  );
  const [stat, text] = [await tests.ok('diff', 'kinds', '--stat'), await tests.ok('diff', 'kinds')];
  for (const shown of [stat, text]) assert.doesNotMatch(shown, /\u001b\[31m/);
  assert.match(text, /^\+x$/m);
  assert.equal((await tests.coi('diff', 'kinds', '--exit-code', '--name-only')).status, 1);
  const same = JSON.stringify(found);
  assert.equal(JSON.stringify(await tests.diff('kinds')), same);
  await tests.ok('kill', '-f', name);
  assert.equal(JSON.stringify(await tests.diff('kinds')), same);
  assert.deepEqual(await tests.bed.instances(), []);
});

test('a killed session leaves its tree, in which its conversation is resumed', {
  timeout,
}, async () => {
  await using tests = await makeTreeBed();
  const first = await tests.start('kept');
  await tests.inside(first, 'echo kept >a.txt');
  await tests.ok('shutdown', '-f', first);
  // Without --branch the conversations of the directory itself are meant.
  const plain = await tests.coi('shell', '--background', '--image', tests.bed.image, '--resume');
  assert.equal(plain.status, 1);
  assert.match(plain.stderr, /no previous session/);
  const again = await tests.start('kept', '--resume');
  assert.equal(await tests.inside(again, 'cat a.txt'), 'kept');
  assert.match(await tests.ok('attach', '--help'), /alias/);
  await tests.ok('kill', '-f', 'kept');
});

test('ignored files that .worktreeinclude names come along, and never into a capture', {
  timeout,
}, async () => {
  await using tests = await makeTreeBed(`${content}
echo '.env' >.worktreeinclude; mkdir build; echo big >build/out; ln -s /etc/hostname link.env
git add .worktreeinclude; git commit -qm include`);
  const name = await tests.start('env');
  assert.equal(
    await tests.inside(name, 'cat .env; ls build 2>/dev/null || echo none'),
    'SECRET=1\nnone',
  );
  // The agent makes git see it.
  await tests.inside(
    name,
    'echo >.gitignore; echo more >>.env; git add -f .env; git commit -qm env',
  );
  const found = await tests.diff('env');
  assert.deepEqual(summary(found), ['modified .gitignore']);
});

test('[workspace] mode and setup: each session gets a tree, prepared once before the agent', {
  timeout,
}, async () => {
  await using tests = await makeTreeBed();
  await tests.host(
    `mkdir .coi; printf '[workspace]\\nmode = "own"\\nsetup = "echo prepared >>build-log; echo done >.setup"\\n' >.coi/config.toml`,
  );
  const start = async (...args: string[]) =>
    JSON.parse(
      await tests.ok('shell', '--background', '--json', '--image', tests.bed.image, ...args),
    ) as { container: string; workspace: string };
  const [one, two] = [await start(), await start()];
  assert.match(one.workspace, /\/agent-1\/tree$/);
  assert.match(two.workspace, /\/agent-2\/tree$/);
  await tests.inside(one.container, 'timeout 20 bash -c "until [ -e .setup ]; do :; done"');
  await tests.ok('kill', '-f', one.container);
  const again = await start('--branch', 'agent-1');
  assert.equal(await tests.inside(again.container, 'cat build-log'), 'prepared');
  const shared = await start('--shared-tree');
  assert.equal(shared.workspace, tests.repository);
});
