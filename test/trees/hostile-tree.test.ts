// What an agent with root puts into its tree: nothing of it runs on the host, and no content of the host gets into a capture.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeTreeBed, summary } from './tree-bed.ts';

const timeout = 240_000;

/** Every way in which a git directory makes git start a program, each leaving a marker. */
const trap = (directory: string, marker: string) => `
cd ${directory}
printf '#!/bin/sh\\ntouch ${marker}\\ncat\\n' >/tmp/trap; chmod +x /tmp/trap
cp /tmp/trap ${directory}/trap.sh
for key in core.fsmonitor core.hooksPath core.pager core.sshCommand diff.external filter.x.clean filter.x.smudge filter.x.process diff.x.textconv diff.x.command merge.x.driver gpg.program; do
  git config --file ${directory}/.git/config $key "${directory}/trap.sh" || :
done
git config --file ${directory}/.git/config core.hooksPath ${directory}/hooks || :
mkdir -p ${directory}/hooks; for hook in pre-commit post-index-change post-checkout post-merge reference-transaction; do cp /tmp/trap ${directory}/hooks/$hook; done
printf '* filter=x diff=x merge=x\\n' >${directory}/.gitattributes`;

test('nothing in the git directories of a tree runs when the host captures, compares and discards it', {
  timeout,
}, async () => {
  await using tests = await makeTreeBed();
  const name = await tests.start('hostile');
  const marker = join(tests.bed.user.home, 'marker');
  await tests.inside(
    name,
    `git init -q nested; git init -q src/deep; echo x >>a.txt; echo n >nested/n`,
  );
  // The tree's own .git is guarded, so its configuration is written beside it, and in the nested ones.
  await tests.asRoot(
    name,
    `chown -R root nested/.git src/deep/.git; ${trap('/workspace/nested', marker)}; ${trap('/workspace/src/deep', marker)}; cd /workspace
echo '* filter=x diff=x' >.gitattributes
printf '[filter "x"]\\n\\tclean = /workspace/trap.sh\\n' >>.git/config && echo written || echo refused
mv .git /workspace/moved 2>/dev/null && echo moved || echo stays`,
  );
  const found = await tests.diff('hostile');
  assert.ok(summary(found).includes('modified a.txt'));
  assert.match(await tests.ok('diff', 'hostile'), /^\+x$/m);
  await tests.coi('merge', 'hostile', '--dry-run');
  await tests.ok('kill', '-f', name);
  await tests.coi('merge', 'hostile');
  assert.equal(existsSync(marker), false);
  // The user's own git in the nested repository would run it.
  const tree = tests.treePath('hostile');
  await tests.host(
    `cd ${tree}/nested; sed -i 's#/workspace/nested#'"$PWD"'#' .git/config; git status >/dev/null 2>&1 || :`,
  );
  assert.equal(existsSync(marker), true);
  await tests.host(`rm ${marker}`);
  await tests.ok('discard', 'hostile', '--force');
  assert.equal(existsSync(marker), false);
  assert.equal(existsSync(tree), false);
});

test('a directory that becomes a link during captures brings no file of the host into one', {
  timeout,
}, async () => {
  await using tests = await makeTreeBed();
  await tests.host(
    'mkdir "$HOME/secrets"; echo HOST-SECRET >"$HOME/secrets/code.txt"; echo HOST-SECRET >"$HOME/secrets/extra"',
  );
  const name = await tests.start('swap');
  const secrets = join(tests.bed.user.home, 'secrets');
  await tests.inside(
    name,
    `mkdir real; cp src/code.txt real; echo y >real/extra
(while :; do mv src kept; ln -s ${secrets} src; rm src; mv kept src; echo $RANDOM >src/new; done) >/dev/null 2>&1 &
(while :; do rm -f loop; ln -s ${secrets} loop; rm -f loop; mkdir loop; echo z >loop/extra; rm -rf loop; done) >/dev/null 2>&1 &`,
  );
  const begin = performance.now();
  for (let turn = 0; turn < 15; turn += 1)
    assert.doesNotMatch(await tests.ok('diff', 'swap'), /HOST-SECRET/);
  assert.ok(performance.now() - begin < 15 * 10_000);
  assert.match(await tests.host(`cat ${secrets}/code.txt`), /HOST-SECRET/);
});

test('files that would stop git are reported by name within seconds, and the session goes on', {
  timeout,
}, async () => {
  await using tests = await makeTreeBed();
  const name = await tests.start('fifo');
  await tests.inside(name, 'rm .gitignore; mkfifo .gitignore; mkfifo src/pipe; echo x >>a.txt');
  const begin = performance.now();
  const { status, stderr } = await tests.coi('diff', 'fifo', '--stat');
  assert.ok(performance.now() - begin < 20_000);
  if (status !== 0) assert.match(stderr, /\.gitignore[\s\S]*ordinary files/);
  await tests.inside(name, 'rm .gitignore; echo .env >.gitignore');
  assert.deepEqual(summary(await tests.diff('fifo')), ['modified .gitignore', 'modified a.txt']);
});

test("coi's own repositories beside the trees cannot be mounted, and a tree can", {
  timeout,
}, async () => {
  await using tests = await makeTreeBed();
  await tests.ok('kill', '-f', await tests.start('one'));
  const tree = tests.treePath('one');
  const repository = join(tree, '../..');
  const mount = (path: string) =>
    tests.coi('run', '--image', tests.bed.image, '--mount', `${path}:/mnt/x`, '--', 'true');
  for (const path of [
    repository,
    join(repository, '.captures.git'),
    join(tree, '..'),
    join(repository, '../../..'),
  ]) {
    const { status, stderr } = await mount(path);
    assert.equal(status, 125, path);
    assert.match(stderr, /coi's own files/, path);
  }
  const own = await mount(tree);
  assert.equal(own.status, 0, own.stderr);
});
