// `coi merge`: the changes of a tree in the user's branch, and nothing else.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { content, makeTreeBed, summary, type TreeBed } from './tree-bed.ts';

const timeout = 180_000;

/** A tree with changes, whose session has ended. */
async function ended(tests: TreeBed, branch: string, script: string): Promise<void> {
  const name = await tests.start(branch);
  await tests.inside(name, script);
  await tests.ok('kill', '-f', name);
}

test('a merge is one commit of the user on their branch, and keeps what they had staged and changed', {
  timeout,
}, async () => {
  await using tests = await makeTreeBed(`${content}
printf '#!/bin/sh\\ntouch "$PWD/hook-ran"\\n' >.git/hooks/pre-commit
for hook in commit-msg post-commit post-merge post-checkout reference-transaction; do
  cp .git/hooks/pre-commit .git/hooks/$hook; done; chmod +x .git/hooks/*`);
  await ended(
    tests,
    'work',
    'sed -i 1s/.*/first/ a.txt; git commit -qam one; echo new >"new file"; git mv c.txt moved.txt; chmod +x b.txt',
  );
  await tests.host(
    'rm -f hook-ran; echo mine >>d.txt; git add d.txt; echo mine >>e.txt; echo mine >loose',
  );
  const status = await tests.host('git status --porcelain');
  const printed = await tests.coi('merge', 'work', '-m', 'Take the work');
  assert.equal(printed.status, 0, printed.stderr);
  assert.match(printed.stdout, /Merged work into main as [0-9a-f]{10}/);
  assert.match(printed.stderr, /Hooks for commits did not run/);
  assert.equal(existsSync(join(tests.repository, 'hook-ran')), false);
  assert.equal(await tests.host('git status --porcelain'), status);
  assert.equal(
    await tests.host('git log --format="%an %ae %s %p"; git show --stat=80 --format= HEAD'),
    [
      `Ada ada@example.invalid Take the work ${await tests.host('git rev-parse --short HEAD~')}`,
      'Ada ada@example.invalid first',
      ' a.txt              | 2 +-',
      ' b.txt              | 0',
      ' c.txt => moved.txt | 0',
      ' new file           | 1 +',
      ' 4 files changed, 2 insertions(+), 1 deletion(-)',
    ]
      .join('\n')
      .replace(/Ada ada@example.invalid first\n/, 'Ada ada@example.invalid first \n'),
  );
  assert.equal(await tests.host('git fsck --strict 2>&1 | grep -v dangling || true'), '');
  assert.equal((await tests.diff('work')).files, 0);
  assert.match(await tests.ok('merge', 'work'), /No changes/);
});

test('work after a merge is merged again, although the user has changed the same file meanwhile', {
  timeout,
}, async () => {
  await using tests = await makeTreeBed();
  const name = await tests.start('twice');
  await tests.inside(name, 'sed -i 1s/.*/first/ a.txt');
  await tests.ok('merge', 'twice');
  await tests.host('sed -i 10s/.*/mine/ a.txt; git commit -qam mine');
  await tests.inside(name, 'sed -i 1s/.*/second/ a.txt; sed -i 5s/.*/fifth/ a.txt');
  await tests.ok('merge', 'twice');
  assert.equal(
    await tests.host('sed -n "1p;5p;10p" a.txt; git rev-list --count HEAD'),
    'second\nfifth\nmine\n4',
  );
  // The user takes the last one back: it is offered again.
  await tests.host('git reset -q --hard HEAD~2');
  assert.deepEqual(summary(await tests.diff('twice')), ['modified a.txt']);
});

test('--apply stages the changes without a commit, and what the user commits then counts as merged', {
  timeout,
}, async () => {
  await using tests = await makeTreeBed();
  await ended(tests, 'work', 'echo x >>a.txt; echo new >new.txt; rm b.txt');
  await tests.host('echo mine >>d.txt; git add d.txt; echo mine >>e.txt');
  const head = await tests.host('git rev-parse HEAD');
  const dry = await tests.state();
  assert.match(await tests.ok('merge', 'work', '--dry-run'), /Can be merged into main/);
  assert.equal(await tests.state(), dry);
  await tests.ok('merge', 'work', '--apply');
  assert.equal(await tests.host('git rev-parse HEAD'), head);
  assert.equal(
    await tests.host('git status --porcelain'),
    'M  a.txt\nD  b.txt\nM  d.txt\n M e.txt\nA  new.txt',
  );
  await tests.host('git commit -qm mine');
  assert.equal((await tests.diff('work')).files, 0);
  await tests.ok('discard', 'work');
  assert.deepEqual(JSON.parse(await tests.ok('trees', '--json')), []);
});

const refusals: Readonly<
  Record<string, { host: string; inside?: string; says: RegExp; undo?: string }>
> = {
  'changes of the same file that are not committed': {
    host: 'echo mine >>a.txt',
    says: /your changes are in the way: a\.txt/,
  },
  'a file of that name that git does not track': {
    host: 'echo mine >new.txt',
    says: /in the way: new\.txt/,
  },
  'an ignored file of that name': {
    host: 'mkdir -p build; echo mine >build/out',
    inside:
      'mkdir build; echo theirs >build/out; git add -f build/out; git commit -qm x; git rm -q --cached nothing 2>/dev/null || :; sed -i /build/d .gitignore',
    says: /build\/out/,
  },
  'a conflict': {
    host: 'sed -i 1s/.*/mine/ a.txt; git commit -qam mine',
    says: /conflict in: a\.txt/,
  },
  'a rebase that is under way': {
    host: `git checkout -qb other; sed -i 1s/.*/o/ b.txt; git commit -qam o; git checkout -q main
sed -i 1s/.*/m/ b.txt; git commit -qam m; git rebase -q other >/dev/null 2>&1 || :`,
    says: /a rebase is under way/,
  },
  'a lock of another git': { host: 'touch .git/index.lock', says: /index\.lock/ },
};

for (const [what, { host, inside = '', says }] of Object.entries(refusals))
  test(`a merge is refused, and changes nothing, because of ${what}`, { timeout }, async () => {
    await using tests = await makeTreeBed();
    await ended(tests, 'work', `sed -i 1s/.*/theirs/ a.txt; echo new >new.txt; ${inside}`);
    await tests.host(host);
    const before = await fingerprint(tests);
    for (const mode of [[], ['--apply'], ['--dry-run']]) {
      const { status, stderr } = await tests.coi('merge', 'work', ...mode);
      assert.equal(status, 1, `${mode}`);
      assert.match(stderr, says);
      assert.match(stderr, /Hint: /);
      assert.equal(await fingerprint(tests), before, `${mode}`);
    }
  });

/** Every byte of the working tree, the index, HEAD and the refs. */
async function fingerprint(tests: TreeBed): Promise<string> {
  const files = await tests.host(
    'find . -path ./.git/objects -prune -o -path ./.git/logs -prune -o -type f -print0 | sort -z | xargs -0 sha256sum; cat .git/HEAD',
  );
  return files;
}

test('a forged history in the tree does not take back what the user has fixed meanwhile', {
  timeout,
}, async () => {
  await using tests = await makeTreeBed();
  const name = await tests.start('forged');
  await tests.host('sed -i 1s/.*/fixed/ b.txt; git commit -qam fix');
  const fix = await tests.host('git cat-file commit HEAD');
  writeFileSync(join(tests.treePath('forged'), 'fix'), fix);
  // The agent's commit claims to come after the fix, and has the old file.
  await tests.inside(
    name,
    `git hash-object -t commit -w --literally fix >/dev/null || :; rm fix; sed -i 1s/.*/theirs/ a.txt
tree=$(git add -A && git write-tree)
printf 'tree %s\\nparent ${await tests.host('git rev-parse HEAD')}\\nauthor a <a> 1 +0000\\ncommitter a <a> 1 +0000\\n\\nx\\n' $tree >/tmp/c
git update-ref HEAD $(git hash-object -t commit -w --literally /tmp/c) || echo $(git hash-object -t commit -w --literally /tmp/c) >.git/refs/heads/forged`,
  );
  await tests.ok('merge', 'forged');
  assert.equal(await tests.host('head -qn1 a.txt b.txt'), 'theirs\nfixed');
});

test('a tree stays whole after the user has rewritten and pruned the history that it came from', {
  timeout,
}, async () => {
  await using tests = await makeTreeBed();
  const name = await tests.start('pruned');
  await tests.host(
    'git commit -q --amend -m other; echo y >>e.txt; git commit -qam more; git reflog expire --expire=now --all; git gc -q --prune=now',
  );
  await tests.inside(name, 'git fsck; git log -1 >/dev/null; echo x >>a.txt');
  assert.deepEqual(summary(await tests.diff('pruned')), ['modified a.txt']);
  await tests.ok('merge', 'pruned');
  assert.equal(await tests.host('git show --stat=80 --format= HEAD | head -1'), ' a.txt | 1 +');
  assert.equal(await tests.host('git for-each-ref refs/coi'), '');
});

test('a merge is signed where the user signs, and not made where signing fails', {
  timeout,
}, async () => {
  await using tests = await makeTreeBed(`${content}
ssh-keygen -qt ed25519 -N '' -f .git/key
git config gpg.format ssh; git config user.signingKey "$PWD/.git/key"; git config commit.gpgSign true`);
  await ended(tests, 'signed', 'echo x >>a.txt');
  await tests.ok('merge', 'signed');
  assert.match(await tests.host('git cat-file commit HEAD'), /BEGIN SSH SIGNATURE/);
  await ended(tests, 'unsigned', 'echo x >>b.txt');
  await tests.host('rm .git/key');
  const before = await fingerprint(tests);
  const { status, stderr } = await tests.coi('merge', 'unsigned');
  assert.equal(status, 1);
  assert.match(stderr, /commit could not be made[\s\S]*--apply/);
  assert.equal(await fingerprint(tests), before);
  await tests.ok('merge', 'unsigned', '--apply');
});

test('a filter that the agent adds does not run on the host: the merge is refused', {
  timeout,
}, async () => {
  await using tests = await makeTreeBed(`${content}
git config filter.mark.smudge 'touch ${'"$HOME"'}/smudge-ran; cat'`);
  await ended(tests, 'filters', "echo '*.txt filter=mark' >.gitattributes; echo x >>a.txt");
  const { status, stderr } = await tests.coi('merge', 'filters');
  assert.equal(status, 1);
  assert.match(stderr, /run the filter or encoding mark/);
  const marker = join(tests.bed.user.home, 'smudge-ran');
  assert.equal(existsSync(marker), false);
  // Without the refusal it would.
  await tests.host(
    `cp ${tests.treePath('filters')}/.gitattributes .; git add .; git checkout HEAD -- a.txt`,
  );
  assert.equal(existsSync(marker), true);
  assert.equal(readFileSync(join(tests.repository, 'a.txt'), 'utf8').startsWith('a 1'), true);
});
