// Goal: a container whose processes wait for an unresponsive file system that one of them serves can be killed, and coid
// answers meanwhile, whatever lock the blocked process holds; file systems of other containers are not
// affected.
// Method: a raw FUSE server in Perl, which every image has, with a child that blocks on it in the kernel.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { blockingServers, blockProcess, isReadable } from '../bed/blocked-process.ts';
import { slowdown } from '../bed/slowdown.ts';
import { untilGone, untilWritten } from '../bed/until.ts';

const timeout = 180_000;

/** Answers only the INIT request. Prints `stuck` when a child that also holds the connection waits for an answer. */
const server = String.raw`
use strict;
$^F = 100;
open(my $fuse, '+<', '/dev/fuse') or die "fuse: $!";
mkdir '/mnt/f';
my $options = 'fd=' . fileno($fuse) . ',rootmode=40000,user_id=0,group_id=0';
system('mount', '-i', '-t', 'fuse', '-o', $options, 'none', '/mnt/f') == 0 or die 'mount';
sysread($fuse, my $greeting, 1 << 20) or die "greeting: $!";
my ($length, $opcode, $unique) = unpack('L L Q', $greeting);
syswrite($fuse, pack('L l Q L L L L L L', 40, 0, $unique, 7, 12, 0, 0, 0, 4096)) or die "answer: $!";
my $child = fork();
if ($child == 0) { stat('/mnt/f/x'); exit 0 }
sysread($fuse, my $request, 1 << 20) or die "request: $!";
print "stuck\n";
close STDOUT; close STDERR;
sleep 3600;
`;

async function startInBackground(bed: Bed): Promise<string> {
  const before = new Set(await bed.instances());
  const output = await bed.coi(['shell', '--background', '--image', bed.image]);
  assert.equal(output.status, 0, output.stderr);
  const [name] = (await bed.instances()).filter((one) => !before.has(one));
  assert.ok(name);
  return name;
}

/** Serves a hanging file system in the container. */
async function hang({ incus }: Bed, name: string): Promise<void> {
  const script = `cat > /root/server.pl <<'end'\n${server}\nend\nsetsid perl /root/server.pl </dev/null >/root/said 2>&1 &`;
  await incus.execCaptured(name, { command: ['sh', '-c', script] });
  const until = 'until grep -q . /root/said; do sleep 0.1; done; cat /root/said';
  const output = await incus.execCaptured(name, { command: ['sh', '-c', until] });
  assert.equal(output.stdout.toString(), 'stuck\n', output.stderr.toString());
}

test('a container blocked on its own file system can be killed, and no other is affected', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const [one, other] = [await startInBackground(bed), await startInBackground(bed)];
  try {
    await hang(bed, one);
    await hang(bed, other);
    const startedMs = performance.now();
    const killed = await bed.coi(['kill', one]);
    const tookMs = performance.now() - startedMs;
    assert.equal(killed.status, 0, killed.stderr);
    assert.deepEqual((await bed.instances()).includes(one), false);
    assert.ok(tookMs < 15_000 * (await slowdown()), `${Math.round(tookMs)} ms`);
    assert.equal(await waitingPrograms(bed, other), 2);
    const last = await bed.coi(['shutdown', '--timeout', '1', other]);
    assert.equal(last.status, 0, last.stderr);
    assert.equal((await bed.instances()).includes(other), false);
  } finally {
    // Nothing else could end them.
    await bed.coi(['kill', '--force', one, other]);
  }
});

/** A run whose container hangs when its command ends, which it does with status 7. */
async function runThatHangs(bed: Bed, whileHung: () => Promise<void>) {
  const mark = (name: string) => join(bed.workspace.path, name);
  const script = 'echo begun > begun; until [ -e go ]; do sleep 0.1; done; exit 7';
  const running = bed.startCoi(['run', '--image', bed.image, '--', 'sh', '-c', script]);
  await Promise.race([untilWritten(mark('begun')), running.result]);
  const [name = ''] = await bed.instances();
  await hang(bed, name);
  await whileHung();
  writeFileSync(mark('go'), '');
  return { name, ...(await running.result) };
}

test("coi run exits with its command's status and removes a container that does not stop", {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const { name, status, stderr } = await runThatHangs(bed, async () => {});
  try {
    assert.equal(status, 7, stderr);
    assert.doesNotMatch(stderr, /is left/);
    await untilGone(bed.incus, name, 30_000);
  } finally {
    await bed.coi(['kill', '--force', name]);
  }
});

test("coi run exits with its command's status and says so if its container is left behind", {
  timeout,
}, async () => {
  await using bed = await makeBed();
  // It stays blocked.
  const { name, status, stderr } = await runThatHangs(bed, () => bed.coid.stop());
  try {
    assert.equal(status, 7, stderr);
    const left = `^Warning: ending ${name} failed: it did not end within 30 s; it still exists: run \`coi kill ${name}\` to try again$`;
    assert.match(stderr, new RegExp(left, 'm'));
  } finally {
    await bed.coid.start();
    const killed = await bed.coi(['kill', '--force', name]);
    assert.equal(killed.status, 0, killed.stderr);
  }
});

for (const [way, { file, script }] of Object.entries(blockingServers)) {
  test(`a container can be killed although one of its processes blocks the kernel (${way})`, {
    timeout,
  }, async () => {
    await using bed = await makeBed();
    const name = await startInBackground(bed);
    // In the same workspace, and so with the same ids.
    const other = await startInBackground(bed);
    await hang(bed, other);
    await using held = await blockProcess(bed.incus, name, script);
    assert.equal(await isReadable(held.pid, file), false, 'the control');
    const startedMs = performance.now();
    const [killed, slowestMs] = await whileAsked(bed, bed.coi(['kill', name]));
    const tookMs = performance.now() - startedMs;
    assert.equal(killed.status, 0, killed.stderr);
    assert.equal((await bed.instances()).includes(name), false);
    assert.ok(tookMs < 15_000 * (await slowdown()), `${Math.round(tookMs)} ms`);
    assert.equal(await waitingPrograms(bed, other), 2);
    assert.ok(
      slowestMs < 1000 * (await slowdown()),
      `coid answered after ${Math.round(slowestMs)} ms`,
    );
  });
}

/** Number of programs that serve or wait in the container. */
async function waitingPrograms({ incus }: Bed, name: string): Promise<number | undefined> {
  const states = await incus.execCaptured(name, {
    command: ['sh', '-c', 'cat /proc/[0-9]*/stat'],
  });
  return states.stdout.toString().match(/\(perl\) [SD] /g)?.length;
}

/** Also returns the slowest answer of coid meanwhile. */
async function whileAsked<Result>(
  { coid }: Bed,
  work: Promise<Result>,
): Promise<readonly [Result, number]> {
  let isOver = false;
  let slowestMs = 0;
  const working = work.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    const startedMs = performance.now();
    await coid.status();
    slowestMs = Math.max(slowestMs, performance.now() - startedMs);
  }
  return [await working, slowestMs];
}
