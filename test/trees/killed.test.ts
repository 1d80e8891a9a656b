// coi is killed at each call of git while it makes, compares, merges and discards a tree: nothing of the user's is lost or
// half changed, and the next command works.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeTreeBed, summary, type TreeBed } from './tree-bed.ts';

const timeout = 300_000;
const callsMax = 60;

/** A git that kills its caller at one call, before or after it. */
const shim = `
mkdir -p "$HOME/shim"; git=$(command -v git); cat >"$HOME/shim/git" <<END
#!/bin/sh
number=\\$((\\$(cat "$HOME/shim/count") + 1)); echo \\$number >"$HOME/shim/count"
read -r at when <"$HOME/shim/at"
[ "\\$number" = "\\$at" ] || exec $git "\\$@"
[ "\\$when" = after ] && $git "\\$@" >/dev/null
kill -9 \\$PPID
END
chmod +x "$HOME/shim/git"`;

/** Runs coi, killed at that call; false if it made fewer. */
async function killAt(
  tests: TreeBed,
  args: readonly string[],
  at: number,
  when: 'before' | 'after',
): Promise<boolean> {
  const { home, env } = tests.bed.user;
  await tests.host(`echo 0 >${home}/shim/count; echo ${at} ${when} >${home}/shim/at`);
  const { status, stderr } = await tests.bed.coi(args, {
    env: { PATH: `${home}/shim:${env['PATH']}` },
  });
  if (status === 137) return true;
  assert.equal(status, 0, `${args.join(' ')}, ${when} call ${at}: ${stderr}`);
  return false;
}

const leftovers =
  '(cd ~/.local/share/coi/trees/*/; ls -A | grep -vE "^\\.(bases|captures|lock)" || :)';

for (const when of ['before', 'after'] as const)
  test(`coi killed ${when} any call of git leaves the user's repository whole, and can be repeated`, {
    timeout,
  }, async () => {
    await using tests = await makeTreeBed();
    await tests.host(`${shim}; echo mine >>e.txt`);
    const before = await tests.state();
    const start = ['shell', '--branch', 'work', '--background', '--image', tests.bed.image];
    for (let at = 1; at < callsMax && (await killAt(tests, start, at, when)); at += 1) {
      assert.equal(await tests.state(), before, `making, call ${at}`);
      assert.deepEqual(await tests.bed.instances(), []);
    }
    const name = await tests.start('work');
    await tests.inside(name, 'git fsck; echo x >>a.txt; echo new >new.txt');
    await tests.ok('kill', '-f', name);
    for (let at = 1; at < callsMax && (await killAt(tests, ['diff', 'work'], at, when)); at += 1)
      assert.equal(await tests.state(), before, `comparing, call ${at}`);
    assert.deepEqual(summary(await tests.diff('work')), ['modified a.txt', 'added new.txt']);

    const head = await tests.host('git rev-parse HEAD');
    for (let at = 1; at < callsMax; at += 1) {
      const isKilled = await killAt(tests, ['merge', 'work'], at, when);
      await tests.host('git fsck --strict 2>/dev/null');
      const now = await tests.host('git rev-parse HEAD; git status --porcelain');
      if (now.startsWith(head)) assert.equal(await tests.state(), before, `merging, call ${at}`);
      else assert.match(now, /^[0-9a-f]{40}\n ?M e\.txt$/, `merging, call ${at}`);
      if (!isKilled) break;
    }
    assert.equal(await tests.host('git rev-list --count HEAD; git show HEAD:new.txt'), '2\nnew');
    assert.equal(await tests.host('cat e.txt | tail -1'), 'mine');

    for (let at = 1; at < callsMax; at += 1) {
      const isKilled = await killAt(tests, ['discard', 'work'], at, when);
      if (!isKilled) break;
      if (JSON.parse(await tests.ok('trees', '--json')).length === 0) break;
      assert.equal((await tests.diff('work')).files, 0, `discarding, call ${at}`);
    }
    assert.deepEqual(JSON.parse(await tests.ok('trees', '--json')), []);
    assert.equal(await tests.host(leftovers), '');
  });
