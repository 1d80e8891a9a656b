// How coi run ends: by a signal, with endless output, and with a failure of coi itself.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import type { CommandOptions } from '../bed/command.ts';
import { untilUnmounted } from '../bed/mounts.ts';
import { coiPath } from '../bed/program.ts';
import { untilGone, untilWritten } from '../bed/until.ts';

const timeout = 180_000;
/** Limit for coi's memory; the kept output is 16 MiB and may be needed several times while it becomes JSON. */
const rssMaxKiB = 600_000;

let bed: Bed;
before(async () => {
  bed = await makeBed();
});
after(async () => bed?.[Symbol.asyncDispose]());

const run = (args: readonly string[], options?: CommandOptions) =>
  bed.coi(['run', '--image', bed.image, ...args], options);

/** Its result after that signal during its command. */
async function interruptRun(
  args: readonly string[],
  signal: NodeJS.Signals,
  mark: string,
): Promise<{ status: number; stdout: string; stderr: string; tookMs: number }> {
  const running = bed.startCoi(['run', '--image', bed.image, ...args]);
  await Promise.race([untilWritten(join(bed.workspace.path, mark)), running.result]);
  const [name = ''] = await bed.instances();
  const atMs = performance.now();
  running.kill(signal);
  const answer = await running.result;
  const tookMs = performance.now() - atMs;
  await untilGone(bed.incus, name, 30_000);
  await untilUnmounted(bed.coid.runDir);
  return { ...answer, tookMs };
}

for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)
  test(`${signal} ends coi run --json, its command and its container, and the JSON says so`, {
    timeout,
  }, async () => {
    const script = `echo out; echo begun > begun-${signal}; sleep 50; echo late > late-${signal}`;
    const args = ['--json', '--', 'sh', '-c', script];
    const answer = await interruptRun(args, signal, `begun-${signal}`);
    assert.equal(answer.status, status, answer.stderr);
    assert.ok(answer.tookMs < 20_000, `it took ${answer.tookMs} ms`);
    assert.equal(answer.stdout, '');
    const error = answer.stderr.split('\n').find((line) => line.startsWith('{')) ?? '{}';
    assert.deepEqual(JSON.parse(error), {
      error: { code: 'cancelled', message: `interrupted by ${signal}` },
    });
  });

test('without --json a signal ends coi run with the same statuses', { timeout }, async () => {
  const args = ['--', 'sh', '-c', 'echo begun > begun-plain; sleep 50'];
  const answer = await interruptRun(args, 'SIGTERM', 'begun-plain');
  assert.equal(answer.status, 143, answer.stderr);
  assert.match(answer.stderr, /^Error: interrupted by SIGTERM$/m);
});

test('coi container exec --capture can be interrupted, and its command inside ends', {
  timeout,
}, async () => {
  const started = await bed.coi(['shell', '--background', '--json', '--image', bed.image]);
  assert.equal(started.status, 0, started.stderr);
  const { container } = JSON.parse(started.stdout) as { container: string };
  const lock = 'exec 9>/tmp/coit-lock; flock 9; echo begun > /workspace/begun-exec; exec sleep 600';
  const holding = bed.startCoi([
    'container',
    'exec',
    container,
    '--capture',
    '--',
    'sh',
    '-c',
    lock,
  ]);
  await untilWritten(join(bed.workspace.path, 'begun-exec'));
  holding.kill('SIGTERM');
  assert.equal((await holding.result).status, 143);
  // It waits for the lock, which is free only when the other command has ended.
  const free = ['container', 'exec', container, '--', 'flock', '/tmp/coit-lock', 'true'];
  assert.equal((await bed.coi(free)).status, 0);
  assert.equal((await bed.coi(['kill', '--force', container])).status, 0);
});

test('endless output is truncated in the JSON and costs coi no memory', {
  timeout,
}, async () => {
  const rss = "process.on('exit',()=>console.error('rss',process.resourceUsage().maxRSS))";
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(rss)}` };
  const script = 'head -c 600000000 /dev/zero; echo err >&2; echo done > all-was-read; exit 3';
  const answer = await run(['--json', '--', 'sh', '-c', script], { env, limitMs: timeout });
  assert.equal(answer.status, 3, answer.stderr.slice(0, 500));
  const { stdout, stderr, truncated, exit_code } = JSON.parse(answer.stdout);
  assert.deepEqual([stderr, truncated, exit_code], ['err\n', true, 3]);
  assert.equal(stdout, '\0'.repeat(16 * 1024 * 1024));
  assert.match(answer.stderr, /^Warning: the command printed more than 16 MiB/m);
  assert.equal(await untilWritten(join(bed.workspace.path, 'all-was-read')), 'done\n');
  const [, peak] = /^rss (\d+)$/m.exec(answer.stderr) ?? [];
  assert.ok(Number(peak) > 0 && Number(peak) < rssMaxKiB, `${peak} KiB`);
});

test('a closed reader ends the command, as in any pipe, and nothing is left running', {
  timeout,
}, async () => {
  const inside = 'yes | head -n 3000000; sleep 600';
  const coi = `${coiPath()} run --image ${bed.image} -- sh -c '${inside}'`;
  const script = `${coi} | head -n 1; echo "status ${'$'}{PIPESTATUS[0]}"`;
  const answer = await bed.user.run(['bash', '-c', script], {
    cwd: bed.workspace.path,
    env: { ...bed.env },
  });
  assert.equal(answer.stdout, 'y\nstatus 141\n', answer.stderr);
  assert.doesNotMatch(answer.stderr, /Error/);
  for (const name of await bed.instances()) await untilGone(bed.incus, name, 30_000);
});

test('output that cannot be written is a failure of coi, and nothing is left running', {
  timeout,
}, async () => {
  const script = `${coiPath()} run --image ${bed.image} -- sh -c 'echo out; sleep 600' > /dev/full`;
  const answer = await bed.user.run(['bash', '-c', script], {
    cwd: bed.workspace.path,
    env: { ...bed.env },
  });
  assert.equal(answer.status, 125, answer.stderr);
  assert.match(answer.stderr, /^Error: the output could not be written: .*ENOSPC/m);
  for (const name of await bed.instances()) await untilGone(bed.incus, name, 30_000);
});

/** The container's systemd ignores the shutdown signal. A command may run before systemd is up. */
const deaf =
  'until [ -S /run/systemd/private ]; do sleep 0.05; done; cd /run/systemd/system && sudo ln -sf /dev/null halt.target && sudo ln -sf /dev/null poweroff.target && sudo kill -HUP 1';

test("a command's status in a persistent container counts, even if the container must be stopped by force", {
  timeout,
}, async () => {
  const answer = await run(['--persistent', '--', 'sh', '-c', `${deaf} && exit 7`], {
    limitMs: timeout,
  });
  assert.equal(answer.status, 7, answer.stderr);
  const [name = ''] = await bed.instances();
  assert.match(
    answer.stderr,
    new RegExp(`^Warning: ${name} did not shut down within 60 s and was stopped by force$`, 'm'),
  );
  assert.equal((await bed.incus.instance(name))?.instance.status, 'Stopped');
  assert.equal((await bed.coi(['kill', '--force', name])).status, 0);
});

test("the exit status tells a failure of coi from the command's status and a time limit", {
  timeout,
}, async () => {
  const statuses = [
    { args: ['--', 'sh', '-c', 'exit 1'], status: 1 },
    { args: ['--', 'no-such-program'], status: 127 },
    { args: ['--', '/etc/passwd'], status: 126 },
    { args: ['--timeout', '1', '--', 'sleep', '60'], status: 124 },
    { args: ['--timeout', '1', '--json', '--', 'sleep', '60'], status: 124 },
    { args: ['--image', 'no-such-image', '--', 'true'], status: 125 },
    { args: ['--no-such-option', '--', 'true'], status: 2 },
  ];
  for (const { args, status } of statuses) {
    const answer = await run(args);
    assert.equal(answer.status, status, `${args.join(' ')}: ${answer.stderr}`);
  }
  const unreachable = await run(['--', 'true'], { env: { INCUS_SOCKET: '/nonexistent/socket' } });
  assert.equal(unreachable.status, 125, unreachable.stderr);
});
