// How coi run ends when somebody ends it, when its command prints without an end, and when coi itself fails.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import type { CommandOptions } from '../bed/command.ts';
import { untilGone, untilWritten } from '../bed/gone.ts';
import { untilUnmounted } from '../bed/mounts.ts';
import { coiPath } from '../bed/program.ts';

const timeout = 180_000;
/** All of coi's own; the output that is kept is 16 MiB and may be needed several times while it becomes JSON. */
const rssMaxKiB = 600_000;

let bed: Bed;
before(async () => {
  bed = await makeBed();
});
after(async () => bed?.[Symbol.asyncDispose]());

const run = (args: readonly string[], options?: CommandOptions) =>
  bed.coi(['run', '--image', bed.image, ...args], options);

/** Its result when it was given that signal while its command ran. */
async function interrupted(
  args: readonly string[],
  signal: NodeJS.Signals,
  mark: string,
): Promise<{ status: number; stdout: string; stderr: string; tookMs: number }> {
  const running = bed.startCoi(['run', '--image', bed.image, ...args]);
  await Promise.race([untilWritten(join(bed.workspace.path, mark)), running.result]);
  const [name = ''] = await bed.instances();
  const atMs = performance.now();
  running.kill(signal);
  const said = await running.result;
  const tookMs = performance.now() - atMs;
  await untilGone(bed.incus, name, 30_000);
  await untilUnmounted(bed.coid.runDir);
  return { ...said, tookMs };
}

for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)
  test(`${signal} ends coi run --json, its command and its machine, and the JSON says so`, {
    timeout,
  }, async () => {
    const script = `echo out; echo begun > begun-${signal}; sleep 50; echo late > late-${signal}`;
    const args = ['--json', '--', 'sh', '-c', script];
    const said = await interrupted(args, signal, `begun-${signal}`);
    assert.equal(said.status, status, said.stderr);
    assert.ok(said.tookMs < 20_000, `it took ${said.tookMs} ms`);
    assert.equal(said.stdout, '');
    const error = said.stderr.split('\n').find((line) => line.startsWith('{')) ?? '{}';
    assert.deepEqual(JSON.parse(error), {
      error: { code: 'cancelled', message: `interrupted by ${signal}` },
    });
  });

test('without --json a signal ends coi run with the same statuses', { timeout }, async () => {
  const args = ['--', 'sh', '-c', 'echo begun > begun-plain; sleep 50'];
  const said = await interrupted(args, 'SIGTERM', 'begun-plain');
  assert.equal(said.status, 143, said.stderr);
  assert.match(said.stderr, /^Error: interrupted by SIGTERM$/m);
});

test('coi container exec --capture is interrupted, and its command inside ends', {
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

test('output without an end is cut off in the JSON, and costs coi no memory', {
  timeout,
}, async () => {
  const rss = "process.on('exit',()=>console.error('rss',process.resourceUsage().maxRSS))";
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(rss)}` };
  const script = 'head -c 600000000 /dev/zero; echo err >&2; echo done > all-was-read; exit 3';
  const said = await run(['--json', '--', 'sh', '-c', script], { env, limitMs: timeout });
  assert.equal(said.status, 3, said.stderr.slice(0, 500));
  const { stdout, stderr, truncated, exit_code } = JSON.parse(said.stdout);
  assert.deepEqual([stderr, truncated, exit_code], ['err\n', true, 3]);
  assert.equal(stdout, '\0'.repeat(16 * 1024 * 1024));
  assert.match(said.stderr, /^Warning: the command printed more than 16 MiB/m);
  assert.equal(await untilWritten(join(bed.workspace.path, 'all-was-read')), 'done\n');
  const [, peak] = /^rss (\d+)$/m.exec(said.stderr) ?? [];
  assert.ok(Number(peak) > 0 && Number(peak) < rssMaxKiB, `${peak} KiB`);
});

test('a reader that goes away ends the command, as in any pipe, and nothing is left running', {
  timeout,
}, async () => {
  const inside = 'yes | head -n 3000000; sleep 600';
  const coi = `${coiPath()} run --image ${bed.image} -- sh -c '${inside}'`;
  const script = `${coi} | head -n 1; echo "status ${'$'}{PIPESTATUS[0]}"`;
  const said = await bed.user.run(['bash', '-c', script], {
    cwd: bed.workspace.path,
    env: { ...bed.env },
  });
  assert.equal(said.stdout, 'y\nstatus 141\n', said.stderr);
  assert.doesNotMatch(said.stderr, /Error/);
  for (const name of await bed.instances()) await untilGone(bed.incus, name, 30_000);
});

test('output that cannot be written is a failure of coi, and nothing is left running', {
  timeout,
}, async () => {
  const script = `${coiPath()} run --image ${bed.image} -- sh -c 'echo out; sleep 600' > /dev/full`;
  const said = await bed.user.run(['bash', '-c', script], {
    cwd: bed.workspace.path,
    env: { ...bed.env },
  });
  assert.equal(said.status, 125, said.stderr);
  assert.match(said.stderr, /^Error: the output could not be written: .*ENOSPC/m);
  for (const name of await bed.instances()) await untilGone(bed.incus, name, 30_000);
});

/** The container's systemd ignores the signal that asks it to shut down. A command may run before it is there. */
const deaf =
  'until [ -S /run/systemd/private ]; do sleep 0.05; done; cd /run/systemd/system && sudo ln -sf /dev/null halt.target && sudo ln -sf /dev/null poweroff.target && sudo kill -HUP 1';

test('the end of a command in a kept machine counts, also when the machine has to be stopped by force', {
  timeout,
}, async () => {
  const said = await run(['--persistent', '--', 'sh', '-c', `${deaf} && exit 7`], {
    limitMs: timeout,
  });
  assert.equal(said.status, 7, said.stderr);
  const [name = ''] = await bed.instances();
  assert.match(
    said.stderr,
    new RegExp(`^Warning: ${name} did not shut down within 60 s and was stopped by force$`, 'm'),
  );
  assert.equal((await bed.incus.instance(name))?.instance.status, 'Stopped');
  assert.equal((await bed.coi(['kill', '--force', name])).status, 0);
});

test('the status tells a failure of coi from the end of the command and from a time limit', {
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
    const said = await run(args);
    assert.equal(said.status, status, `${args.join(' ')}: ${said.stderr}`);
  }
  const unreachable = await run(['--', 'true'], { env: { INCUS_SOCKET: '/nonexistent/socket' } });
  assert.equal(unreachable.status, 125, unreachable.stderr);
});
