// Goal: where the file system of one session's workspace does not answer (sshfs or NFS whose server is gone), coid answers as
// always, and sessions elsewhere start, are listed, paused, resolve names and end; the session itself can be ended, and what
// is left to do there is done when the file system answers again.
// Method: a FUSE file system of the test's own whose program is stopped. Control: who looks there waits.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { type Fuse, makeFuse } from '../bed/fuse.ts';
import { pace } from '../bed/pace.ts';
import { coiPath } from '../bed/program.ts';
import { idsOfRoot, removeIdsOfRoot } from '../bed/root-ids.ts';
import { makeWorkspace } from '../bed/workspace.ts';
import { homeFile } from '../lifecycle/talk.ts';

const timeout = 300_000;
/** More than Incus took at that moment, which may have much to do. Where coid waits for files there is no answer at all. */
const answerMs = 5000;
/** The longest time between two looks of coid at a workspace in which nothing happens. */
const idleMs = 30_000;

interface Place extends AsyncDisposable {
  readonly bed: Bed;
  readonly files: Fuse;
  /** On that file system. */
  readonly hung: string;
  /** On the local disk. */
  readonly local: string;
}

async function makePlace(): Promise<Place> {
  await using undo = new AsyncDisposableStack();
  const bed = undo.use(await makeBed({ coidEnv: { COI_RECONCILE_EVERY_MS: '1000' } }));
  undo.defer(async () => removeIdsOfRoot(bed.user));
  assert.deepEqual(idsOfRoot(bed.user), []);
  homeFile(bed, '.coi/config.toml', '[security]\nprotection = "watch"\n');
  const local = undo.adopt(await makeWorkspace(bed.user), (made) => made.remove());
  const hung = bed.workspace.path;
  const files = undo.use(await makeFuse(hung, bed.user));
  const kept = undo.move();
  const dispose = () => kept.disposeAsync();
  return { bed, files, hung, local: local.path, [Symbol.asyncDispose]: dispose };
}

/** Name of its container. */
async function background(bed: Bed, cwd: string): Promise<string> {
  const said = await bed.coi(['shell', '--background', '--image', bed.image, '--json'], { cwd });
  assert.equal(said.status, 0, said.stderr);
  return (JSON.parse(said.stdout) as { container: string }).container;
}

/** Whether somebody who looks there has an answer within two seconds. */
async function answers(path: string): Promise<boolean> {
  const stat = spawn('stat', ['-f', path], { stdio: 'ignore' });
  const limit = setTimeout(() => stat.kill('SIGKILL'), 2000);
  const [status] = await once(stat, 'exit');
  clearTimeout(limit);
  return status === 0;
}

/** How much longer than Incus coid took for its slowest answer during that work. Both are asked at the same moment. */
async function slowest(bed: Bed, work: () => Promise<void>): Promise<number> {
  let isOver = false;
  let slowestMs = 0;
  const working = work().finally(() => {
    isOver = true;
  });
  // It is awaited below, when coid was asked for the last time.
  working.catch(() => undefined);
  while (!isOver) {
    const startedMs = performance.now();
    const took = async (answer: Promise<unknown>) => {
      await answer;
      return performance.now() - startedMs;
    };
    const status = bed.coid.status();
    const [coidMs, incusMs] = await Promise.all([took(status), took(bed.incus.instanceNames())]);
    if ((await status) === undefined) slowestMs = Number.POSITIVE_INFINITY;
    slowestMs = Math.max(slowestMs, coidMs - incusMs);
  }
  await working;
  return slowestMs;
}

async function mustRun(bed: Bed, args: readonly string[], cwd: string): Promise<string> {
  const { status, stdout, stderr } = await bed.coi(args, { cwd });
  assert.equal(status, 0, `${args.join(' ')}: ${stderr}`);
  return stdout;
}

test('sessions elsewhere go on while a workspace does not answer', { timeout }, async () => {
  await using place = await makePlace();
  const { bed, files, hung, local } = place;
  const held = await background(bed, hung);
  const other = await background(bed, local);
  files.hold();
  assert.equal(await answers(hung), false, 'the control');
  const everyday = async () => {
    const listed = await mustRun(bed, ['list'], local);
    assert.ok(listed.includes(held) && listed.includes(other), listed);
    assert.equal(await mustRun(bed, ['run', '--', 'echo', 'works'], local), 'works\n');
    const frozen = await bed.incus.changeState(other, { action: 'freeze', timeout: 30 });
    await frozen.wait({ timeoutMs: 30_000 });
    await mustRun(bed, ['unfreeze', other], local);
    await mustRun(bed, ['shutdown', '--timeout', '1', await background(bed, local)], local);
  };
  const slowestMs = await slowest(bed, async () => {
    const startedMs = performance.now();
    do await everyday();
    while (performance.now() - startedMs < idleMs + 3000);
  });
  assert.ok(slowestMs < answerMs * (await pace()), `coid answered after ${slowestMs} ms`);
  // A coid that starts now.
  await bed.coid.crash();
  await bed.coid.start();
  assert.equal(await mustRun(bed, ['run', '--', 'echo', 'works'], local), 'works\n');
});

test('a session whose workspace does not answer ends, and its guard is taken away when it answers', {
  timeout,
}, async () => {
  await using place = await makePlace();
  const { bed, files, hung, local } = place;
  const held = await background(bed, hung);
  files.hold();
  const startedMs = performance.now();
  const slowestMs = await slowest(bed, async () => {
    const killed = await bed.coi(['kill', held], { cwd: local });
    assert.equal(killed.status, 0, killed.stderr);
    assert.deepEqual(await bed.instances(), []);
    // Until coid has seen it.
    await until(async () => (await bed.coid.status())?.guardsLeftIn?.includes(hung) ?? false);
    assert.equal(await mustRun(bed, ['run', '--', 'echo', 'works'], local), 'works\n');
  });
  const limitMs = answerMs * (await pace());
  assert.ok(slowestMs < limitMs, `coid answered after ${slowestMs} ms`);
  assert.ok(performance.now() - startedMs < 30_000 * (await pace()), 'it took too long');
  const health = await bed.coi(['health', '--json'], { cwd: local });
  assert.ok(health.stdout.includes(hung), health.stdout);
  files.letGo();
  await until(async () => (await bed.coid.status())?.guardsLeftIn?.length === 0);
});

test('a start in a directory that does not answer ends: by itself, and by Ctrl-C', {
  timeout,
}, async () => {
  await using place = await makePlace();
  const { bed, files, hung, local } = place;
  const shell = bed.command(['bash', '--norc'], { cwd: hung, env: { PS1: '$ ' } });
  await shell.waitFor(/^\$/m);
  files.hold();
  // The launcher is a script, and every shell looks at its directory before it does anything.
  const main = join(dirname(coiPath()), 'dist', 'main.js');
  shell.type(`${process.execPath} ${main} shell; echo "status $?"\r`);
  await shell.waitFor(/^status 1/m, 60_000);
  assert.match(shell.text(), /the file system of .* does not answer \(fuse\.coitest\)/);
  for (const [index, line] of [`${process.execPath} ${main}`, coiPath()].entries()) {
    shell.type(`echo begun${index}; ${line} shell\r`);
    await shell.waitFor(`\nbegun${index}`);
    const startedMs = performance.now();
    shell.key('ctrl-c');
    shell.type(`echo "ended $((${index} + 1))"\r`);
    await shell.waitFor(`\nended ${index + 1}`);
    assert.ok(performance.now() - startedMs < 5000 * (await pace()), 'Ctrl-C did not end it');
  }
  // From elsewhere, and what coid is asked.
  for (const args of [
    ['run', '--workspace', hung, '--', 'true'],
    ['run', '--mount', `${hung}:/m`, '--', 'true'],
  ]) {
    const refused = await bed.coi(args, { cwd: local });
    assert.notEqual(refused.status, 0);
    assert.match(refused.stderr, /does not answer \(fuse\.coitest\)/, args.join(' '));
  }
  assert.equal(await mustRun(bed, ['run', '--', 'echo', 'works'], local), 'works\n');
  shell.type('exit\r');
});

test('a link in a workspace that leads to what does not answer holds nobody up', {
  timeout,
}, async () => {
  await using place = await makePlace();
  const { bed, files, hung, local } = place;
  const hooks = join(local, '.git', 'hooks');
  const script = `git init -q ${local} && rm -r ${hooks} && ln -s ${hung}/hooks ${hooks}`;
  assert.equal((await bed.user.run(['sh', '-c', script])).status, 0);
  files.hold();
  const slowestMs = await slowest(bed, async () => {
    const { status, stderr } = await bed.coi(['run', '--', 'true'], { cwd: local });
    assert.ok(status === 0 || stderr.includes('.git/hooks'), stderr);
  });
  assert.ok(slowestMs < answerMs * (await pace()), `coid answered after ${slowestMs} ms`);
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo()));
}
