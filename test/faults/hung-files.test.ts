// Goal: if the file system of one session's workspace does not answer (sshfs or NFS whose server is gone), coid still answers,
// and other sessions start, are listed, paused, resolve names and end; the session itself can be ended, and its remaining
// cleanup is done once the file system answers again.
// Method: the test's own FUSE file system whose server is stopped. Control: a process that reads it blocks.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { type Fuse, makeFuse } from '../bed/fuse.ts';
import { coiPath } from '../bed/program.ts';
import { removeRootIds, rootIds } from '../bed/root-ids.ts';
import { slowdown } from '../bed/slowdown.ts';
import { makeWorkspace } from '../bed/workspace.ts';
import { homeFile } from '../lifecycle/conversation.ts';

const timeout = 300_000;
/**
 * More than Incus took for its own list of instances, which coid asks for: Incus waits 5 s for each container whose LXC
 * monitor hangs, also for those of other tests. If coid waited for files, there would be no answer at all.
 */
const answerMs = 5000;
/** The longest time between two checks of an idle workspace by coid. */
const idleMs = 30_000;

interface HungWorkspace extends AsyncDisposable {
  readonly bed: Bed;
  readonly files: Fuse;
  /** On the FUSE file system. */
  readonly hung: string;
  /** On the local disk. */
  readonly local: string;
}

async function makeHungWorkspace(): Promise<HungWorkspace> {
  await using undo = new AsyncDisposableStack();
  const bed = undo.use(await makeBed({ coidEnv: { COI_RECONCILE_EVERY_MS: '1000' } }));
  undo.defer(async () => removeRootIds(bed.user));
  assert.deepEqual(rootIds(bed.user), []);
  homeFile(bed, '.coi/config.toml', '[security]\nprotection = "watch"\n');
  const local = undo.adopt(await makeWorkspace(bed.user), (made) => made.remove());
  const hung = bed.workspace.path;
  const files = undo.use(await makeFuse(hung, bed.user));
  const resources = undo.move();
  const dispose = () => resources.disposeAsync();
  return { bed, files, hung, local: local.path, [Symbol.asyncDispose]: dispose };
}

/** Name of its container. */
async function startInBackground(bed: Bed, cwd: string): Promise<string> {
  const result = await bed.coi(['shell', '--background', '--image', bed.image, '--json'], { cwd });
  assert.equal(result.status, 0, result.stderr);
  return (JSON.parse(result.stdout) as { container: string }).container;
}

/** Whether a process that reads it gets an answer within two seconds. */
async function answers(path: string): Promise<boolean> {
  const stat = spawn('stat', ['-f', path], { stdio: 'ignore' });
  const limit = setTimeout(() => stat.kill('SIGKILL'), 2000);
  const [status] = await once(stat, 'exit');
  clearTimeout(limit);
  return status === 0;
}

/** How much longer than Incus coid took for its slowest answer during that work. Both are asked at the same moment. */
async function slowestStatusMs(bed: Bed, work: () => Promise<void>): Promise<number> {
  let isOver = false;
  let slowestMs = 0;
  const working = work().finally(() => {
    isOver = true;
  });
  // Awaited below, after the last request to coid.
  working.catch(() => undefined);
  while (!isOver) {
    const startedMs = performance.now();
    const took = async (answer: Promise<unknown>) => {
      await answer;
      return performance.now() - startedMs;
    };
    const status = bed.coid.status();
    const [coidMs, incusMs] = await Promise.all([took(status), took(bed.incus.instances())]);
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

test('sessions elsewhere keep working while a workspace does not answer', { timeout }, async () => {
  await using fixture = await makeHungWorkspace();
  const { bed, files, hung, local } = fixture;
  const blocked = await startInBackground(bed, hung);
  const other = await startInBackground(bed, local);
  files.suspend();
  assert.equal(await answers(hung), false, 'the control');
  const everyday = async () => {
    const listed = await mustRun(bed, ['list'], local);
    assert.ok(listed.includes(blocked) && listed.includes(other), listed);
    assert.equal(await mustRun(bed, ['run', '--', 'echo', 'works'], local), 'works\n');
    const frozen = await bed.incus.changeState(other, { action: 'freeze', timeout: 30 });
    await frozen.wait({ timeoutMs: 30_000 });
    await mustRun(bed, ['unfreeze', other], local);
    await mustRun(bed, ['shutdown', '--timeout', '1', await startInBackground(bed, local)], local);
  };
  const slowestMs = await slowestStatusMs(bed, async () => {
    const startedMs = performance.now();
    do await everyday();
    while (performance.now() - startedMs < idleMs + 3000);
  });
  assert.ok(slowestMs < answerMs * (await slowdown()), `coid answered after ${slowestMs} ms`);
  // A coid that starts now.
  await bed.coid.crash();
  await bed.coid.start();
  assert.equal(await mustRun(bed, ['run', '--', 'echo', 'works'], local), 'works\n');
});

test('a session whose workspace does not answer ends, and its guard is removed once it answers', {
  timeout,
}, async () => {
  await using fixture = await makeHungWorkspace();
  const { bed, files, hung, local } = fixture;
  const blocked = await startInBackground(bed, hung);
  files.suspend();
  const startedMs = performance.now();
  const slowestMs = await slowestStatusMs(bed, async () => {
    const killed = await bed.coi(['kill', blocked], { cwd: local });
    assert.equal(killed.status, 0, killed.stderr);
    assert.deepEqual(await bed.instances(), []);
    // Until coid has noticed.
    await until(async () => (await bed.coid.status())?.guardsLeftIn?.includes(hung) ?? false);
    assert.equal(await mustRun(bed, ['run', '--', 'echo', 'works'], local), 'works\n');
  });
  const limitMs = answerMs * (await slowdown());
  assert.ok(slowestMs < limitMs, `coid answered after ${slowestMs} ms`);
  assert.ok(performance.now() - startedMs < 30_000 * (await slowdown()), 'it took too long');
  const health = await bed.coi(['health', '--json'], { cwd: local });
  assert.ok(health.stdout.includes(hung), health.stdout);
  files.resume();
  await until(async () => (await bed.coid.status())?.guardsLeftIn?.length === 0);
});

test('a start in a directory that does not answer ends, with a timeout or Ctrl-C', {
  timeout,
}, async () => {
  await using fixture = await makeHungWorkspace();
  const { bed, files, hung, local } = fixture;
  const shell = bed.command(['bash', '--norc'], { cwd: hung, env: { PS1: '$ ' } });
  await shell.waitFor(/^\$/m);
  files.suspend();
  // The launcher is a script, and every shell checks its directory first.
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
    assert.ok(performance.now() - startedMs < 5000 * (await slowdown()), 'Ctrl-C did not end it');
  }
  // From another directory, and a request to coid.
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

test('a link in a workspace to a file system that does not answer blocks nothing', {
  timeout,
}, async () => {
  await using fixture = await makeHungWorkspace();
  const { bed, files, hung, local } = fixture;
  const hooks = join(local, '.git', 'hooks');
  const script = `git init -q ${local} && rm -r ${hooks} && ln -s ${hung}/hooks ${hooks}`;
  assert.equal((await bed.user.run(['sh', '-c', script])).status, 0);
  files.suspend();
  const slowestMs = await slowestStatusMs(bed, async () => {
    const { status, stderr } = await bed.coi(['run', '--', 'true'], { cwd: local });
    assert.ok(status === 0 || stderr.includes('.git/hooks'), stderr);
  });
  assert.ok(slowestMs < answerMs * (await slowdown()), `coid answered after ${slowestMs} ms`);
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo()));
}
