// Repositories, branches and states that a tree of its own cannot have or be made in: one sentence, and nothing is left.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { content, makeTreeBed, summary } from './tree-bed.ts';

const timeout = 120_000;

const repositories: Readonly<Record<string, { script: string; says: RegExp; exit?: number }>> = {
  'no repository': { script: 'touch a', says: /is not in a git repository/ },
  'a repository without a commit': { script: 'git init -q', says: /has no commit yet/ },
  'a submodule': {
    script: `git init -q -b main "$HOME/sub"; git -C "$HOME/sub" -c user.name=a -c user.email=a commit -q --allow-empty -m x
${content}; git -c protocol.file.allow=always submodule --quiet add "$HOME/sub" lib; git commit -qm lib`,
    says: /it has submodules \(lib\)/,
  },
  'Git LFS': {
    script: `${content}; mkdir deep; echo '*.bin filter=lfs diff=lfs -text' >deep/.gitattributes; git add .; git commit -qm lfs`,
    says: /keeps files in Git LFS/,
  },
  'git-crypt': {
    script: `${content}; echo 'secret filter=git-crypt' >.gitattributes; git add .; git commit -qm crypt`,
    says: /the filter or encoding git-crypt/,
  },
  'a sparse checkout': {
    script: `${content}; git sparse-checkout set src`,
    says: /has a sparse checkout/,
  },
  'a partial clone': {
    script: `git init -q --bare "$HOME/full.git"; (git init -q -b main "$HOME/full"; cd "$HOME/full"; git config user.name a; git config user.email a; echo x >x; git add .; git commit -qm x; git push -q "$HOME/full.git" main)
git -C "$HOME/full.git" config uploadpack.allowFilter true; git clone -q --filter=blob:none --branch main "file://$HOME/full.git" .`,
    says: /is a partial clone[\s\S]*refetch/,
  },
  'SHA-256 objects': {
    script:
      'git init -q --object-format=sha256; git -c user.name=a -c user.email=a commit -q --allow-empty -m x',
    says: /object format is sha256/,
  },
};

for (const [what, { script, says, exit = 1 }] of Object.entries(repositories))
  test(`a tree of its own is refused for ${what}, with the reason, and nothing is made`, {
    timeout,
  }, async () => {
    await using tests = await makeTreeBed(script);
    const start = ['shell', '--branch', 'x', '--background', '--image', tests.bed.image];
    const { status, stderr } = await tests.coi(...start);
    assert.equal(status, exit);
    assert.match(stderr, says);
    assert.match(stderr, /Hint: /);
    assert.deepEqual(await tests.bed.instances(), []);
    assert.deepEqual(JSON.parse(await tests.ok('trees', '--all', '--json')), []);
    await tests.ok('shell', '--shared-tree', '--background', '--image', tests.bed.image);
  });

test('names that are no branch, and flags that exclude each other, are usage errors', {
  timeout,
}, async () => {
  await using tests = await makeTreeBed();
  for (const [args, says] of [
    [['--branch', '--upload-pack=evil'], /cannot be the name of a branch/],
    [['--branch', 'a..b'], /cannot be the name of a branch/],
    [['--branch', 'x'.repeat(300)], /longer than 200 bytes/],
    [['--branch', ''], /it is empty/],
    [['--new'], /--new needs --branch/],
    [['--from', 'main'], /--from needs --branch/],
    [['--branch', 'x', '--shared-tree'], /cannot be used with --shared-tree/],
    [['--branch', 'x', '--container', 'y'], /cannot be used with --container/],
    [['--branch', 'x', '--from', '--all'], /--from --all is no commit/],
    [['--branch', 'x', '--from', 'nothing'], /--from nothing is no commit/],
  ] as const) {
    const { status, stderr } = await tests.coi('shell', '--background', ...args);
    assert.equal(status, 2, `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, says);
  }
  for (const command of ['diff', 'merge', 'discard']) {
    const { status, stderr } = await tests.coi(command, 'nothing');
    assert.equal(status, 1);
    assert.match(stderr, /there is no tree 'nothing'[\s\S]*coi trees/);
  }
  assert.deepEqual(await tests.bed.instances(), []);
});

test('a linked worktree, a shallow clone and a detached HEAD get trees, also with alternates', {
  timeout,
}, async () => {
  await using tests = await makeTreeBed(`${content}
git worktree add -q "$HOME/linked" -b linked; git clone -q --depth 1 "file://$PWD" "$HOME/shallow"
git clone -q --shared . "$HOME/borrowed"; git checkout -q --detach`);
  const { home } = tests.bed.user;
  for (const [at, branch] of [
    [tests.repository, 'detached'],
    [join(home, 'linked'), 'of-linked'],
    [join(home, 'shallow'), 'of-shallow'],
    [join(home, 'borrowed'), 'of-borrowed'],
  ] as const) {
    const name = await tests.start(branch, '-w', at);
    await tests.inside(name, 'git fsck; git log --oneline | grep first; echo x >>a.txt');
    assert.match(await tests.ok('merge', branch, '-w', at, '-m', branch), /Merged/);
    assert.equal(await tests.host(`git -C ${at} log -1 --format=%s`), branch);
    await tests.ok('kill', '-f', name);
  }
});

test('a branch of the user is where its tree begins; --from and --new say otherwise', {
  timeout,
}, async () => {
  await using tests = await makeTreeBed(`${content}
git checkout -qb feature/one; echo x >>a.txt; git commit -qam feature; git tag mark; git checkout -q main`);
  const start = (...args: string[]) =>
    tests.coi('shell', '--background', '--image', tests.bed.image, ...args);
  const made = await start('--branch', 'feature/one');
  assert.match(made.stderr, /begins with your branch feature\/one/);
  assert.deepEqual(summary(await tests.diff('feature/one')), []);
  const again = await start('--branch', 'feature/one', '--new');
  assert.equal(again.status, 1);
  assert.match(again.stderr, /exists already[\s\S]*coi --branch feature\/one/);
  const name = await tests.start('other', '--from', 'mark');
  assert.equal(await tests.inside(name, 'git log -1 --format=%s; git describe'), 'feature\nmark');
});

test('a tree is in use until its container is gone, and its changes are not removed without asking', {
  timeout,
}, async () => {
  await using tests = await makeTreeBed();
  const name = await tests.start('busy', '--persistent');
  await tests.inside(name, 'echo x >>a.txt');
  for (const end of [undefined, 'stop']) {
    if (end) await tests.ok('container', 'stop', name);
    const used = await tests.coi('discard', 'busy', '--force');
    assert.equal(used.status, 1);
    assert.match(used.stderr, new RegExp(`${name} still has the tree`));
  }
  await tests.ok('kill', '-f', name);
  const { status, stderr } = await tests.coi('discard', 'busy');
  assert.equal(status, 1);
  assert.match(stderr, /1 changed file not merged: a\.txt[\s\S]*coi merge busy/);
  const tree = tests.treePath('busy');
  const printed = await tests.ok('discard', 'busy', '--force');
  assert.equal(existsSync(tree), false);
  const fetch = printed.split('\n').find((line) => line.includes(' fetch ')) ?? '';
  await tests.host(fetch);
  assert.equal(await tests.host('git show busy-discarded:a.txt | tail -1'), 'x');
  assert.doesNotMatch(await tests.host('cat ~/.coi/aliases.json'), /busy/);
});

test('a tree whose repository is gone can still be read and discarded, and says so at a start', {
  timeout,
}, async () => {
  await using tests = await makeTreeBed();
  const name = await tests.start('orphan');
  await tests.inside(name, 'echo x >>a.txt');
  await tests.ok('kill', '-f', name);
  await tests.host('cd "$HOME"; mv "$OLDPWD"/.git kept.git; find "$OLDPWD" -mindepth 1 -delete');
  assert.deepEqual(summary(await tests.diff('orphan')), ['modified a.txt']);
  const merged = await tests.coi('merge', 'orphan');
  assert.equal(merged.status, 1);
  assert.match(merged.stderr, /not in a git repository/);
  await tests.ok('discard', 'orphan', '--force');
});
