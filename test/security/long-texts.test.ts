// Goal: no text that an agent writes in a workspace blocks coid and with it all other sessions.
// Method: a session writes text that is slow to parse, then another one starts in the workspace while coid gets requests; the
// report reads the same files. Each is read within seconds; with patterns that backtrack at each blank it takes hours.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { handoffFindings, noSessions } from '../../src/app/handoff/report.ts';
import { makeCoidBed } from '../incus/coid-bed.ts';
import { asUser, makeRepo, protect, untilGuarded } from './protect-bed.ts';

const uid = 1003;

/** Files that the host's git reads: a submodule's `.git` file, entries and configuration in a git directory. */
const texts = `set -e; cd /workspace
  perl -e 'print "gitdir: ", " " x 1000000, "x\\ny"' > lib/.git
  mkdir -p made .git/worktrees/p .git/modules/p
  perl -e 'print "gitdir: ", "\\n" x 65000, "x"' > made/.git
  echo /workspace/evil/.git > .git/worktrees/p/gitdir; echo ../.. > .git/worktrees/p/commondir
  mkdir evil; cp lib/.git evil/.git
  echo 'ref: refs/heads/main' > .git/modules/p/HEAD
  perl -e 'print "[diff]\\n"; print "\\texternal = ", "/" x 60000, "x\\n" for 1 .. 15' > .git/modules/p/config`;

test('long texts do not slow down a start, coid or the report', {
  timeout: 180_000,
}, async () => {
  await using bed = await makeCoidBed();
  const [workspace, library] = [await makeRepo(bed, uid), await makeRepo(bed, uid)];
  const allowed = ['-c', 'protocol.file.allow=always'];
  await asUser(uid, [
    ...['git', '-C', workspace, ...allowed, 'submodule', '--quiet', 'add', library, 'lib'],
  ]);
  const since = new Date();
  const { container } = await bed.session({ workspace, protect });
  const made = await bed.sh(container, texts);
  assert.equal(made.status, 0, made.stderr.toString());
  const startMs = performance.now();
  const next = bed.coid.reserve({ ...bed.request(workspace), protect });
  await bed.coid.endedSessions({ workspace }, { signal: AbortSignal.timeout(10_000) });
  await bed.coid.release((await next).id);
  const reservedMs = performance.now() - startMs;
  assert.ok(reservedMs < 10_000, `${reservedMs} ms`);
  const reportRequest = { since, sessions: noSessions, thorough: false, max: 100_000 };
  const { files } = handoffFindings(workspace, reportRequest);
  const reportedMs = performance.now() - startMs - reservedMs;
  assert.ok(reportedMs < 10_000, `${reportedMs} ms`);
  assert.ok(files.length > 0, join(workspace, 'made'));
});

/** Longer than any file name, so it cannot exist. Each crashed coid, or refused the next start. */
const long = 'a'.repeat(300);
const names: readonly (readonly [string, string])[] = [
  ['a link in the place of a protected path', `ln -s ${long} .husky`],
  [
    'the checkout of a submodule',
    `mkdir -p .git/modules/m; echo 'ref: x' > .git/modules/m/HEAD
     printf '[core]\\n worktree = ../../../${long}\\n' > .git/modules/m/config`,
  ],
  [
    'the checkout of a worktree',
    `mkdir -p .git/worktrees/x; echo ../.. > .git/worktrees/x/commondir
     echo /workspace/${long}/.git > .git/worktrees/x/gitdir`,
  ],
];

for (const [name, script] of names)
  test(`a name that is too long (${name}) keeps the guard, and the next session starts`, {
    timeout: 180_000,
  }, async () => {
    await using bed = await makeCoidBed();
    const workspace = await makeRepo(bed, uid);
    const { container } = await bed.session({ workspace, protect });
    const made = await bed.sh(container, `set -e; cd /workspace; ${script}`);
    assert.equal(made.status, 0, made.stderr.toString());
    // The host rewrites the file: the next check restores the guard.
    await asUser(uid, ['git', '-C', workspace, 'config', 'x.y', 'z']);
    await untilGuarded(join(workspace, '.git/config'));
    const before = await bed.daemon.status();
    await bed.session({ workspace, protect });
    assert.equal((await bed.daemon.status())?.pid, before?.pid);
  });
