// Goal: a container whose processes wait for a file system that one of them serves, and that never answers, ends when it
// is killed, and coid answers meanwhile, whatever lock the process holds that waits; the file systems of other containers are
// left alone.
// Method: a server of the raw FUSE protocol in Perl, which is in every image, with a child that waits for it in the kernel.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { untilGone, untilWritten } from '../bed/gone.ts';
import { hold, isRead, ways } from '../bed/held.ts';
import { pace } from '../bed/pace.ts';

const timeout = 180_000;

/** Answers the greeting and nothing else. Prints `stuck` when a child that holds the connection, too, waits for an answer. */
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

async function background(bed: Bed): Promise<string> {
  const before = new Set(await bed.instances());
  const said = await bed.coi(['shell', '--background', '--image', bed.image]);
  assert.equal(said.status, 0, said.stderr);
  const [name] = (await bed.instances()).filter((one) => !before.has(one));
  assert.ok(name);
  return name;
}

/** Serves a file system there that hangs. */
async function hang({ incus }: Bed, name: string): Promise<void> {
  const script = `cat > /root/server.pl <<'end'\n${server}\nend\nsetsid perl /root/server.pl </dev/null >/root/said 2>&1 &`;
  await incus.execCaptured(name, { command: ['sh', '-c', script] });
  const until = 'until grep -q . /root/said; do sleep 0.1; done; cat /root/said';
  const said = await incus.execCaptured(name, { command: ['sh', '-c', until] });
  assert.equal(said.stdout.toString(), 'stuck\n', said.stderr.toString());
}

test('a container that waits for its own file system is killed all the same, and no other loses its own', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const [one, other] = [await background(bed), await background(bed)];
  try {
    await hang(bed, one);
    await hang(bed, other);
    const startedMs = performance.now();
    const killed = await bed.coi(['kill', one]);
    const tookMs = performance.now() - startedMs;
    assert.equal(killed.status, 0, killed.stderr);
    assert.deepEqual((await bed.instances()).includes(one), false);
    assert.ok(tookMs < 15_000 * (await pace()), `${Math.round(tookMs)} ms`);
    assert.equal(await waiting(bed, other), 2);
    const last = await bed.coi(['shutdown', '--timeout', '1', other]);
    assert.equal(last.status, 0, last.stderr);
    assert.equal((await bed.instances()).includes(other), false);
  } finally {
    // Nobody else could end them.
    await bed.coi(['kill', '--force', one, other]);
  }
});

/** A run whose machine hangs when its command ends, which it does with status 7. */
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

test('coi run ends with the status of its command, and frees a machine that does not end', {
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

test('coi run ends with the status of its command and says so where its machine is left', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  // Nobody frees it.
  const { name, status, stderr } = await runThatHangs(bed, () => bed.coid.stop());
  try {
    assert.equal(status, 7, stderr);
    const left = `^Warning: ending ${name} failed: it did not end within 30 s; it is left: \`coi kill ${name}\` tries again$`;
    assert.match(stderr, new RegExp(left, 'm'));
  } finally {
    await bed.coid.start();
    const killed = await bed.coi(['kill', '--force', name]);
    assert.equal(killed.status, 0, killed.stderr);
  }
});

for (const [way, { file, script }] of Object.entries(ways)) {
  test(`a container is killed although one of its processes keeps the kernel from answering (${way})`, {
    timeout,
  }, async () => {
    await using bed = await makeBed();
    const name = await background(bed);
    // Of the same workspace, and so of the same ids.
    const other = await background(bed);
    await hang(bed, other);
    await using held = await hold(bed.incus, name, script);
    assert.equal(await isRead(held.pid, file), false, 'the control');
    const startedMs = performance.now();
    const [killed, slowestMs] = await whileAsked(bed, bed.coi(['kill', name]));
    const tookMs = performance.now() - startedMs;
    assert.equal(killed.status, 0, killed.stderr);
    assert.equal((await bed.instances()).includes(name), false);
    assert.ok(tookMs < 15_000 * (await pace()), `${Math.round(tookMs)} ms`);
    assert.equal(await waiting(bed, other), 2);
    assert.ok(slowestMs < 1000 * (await pace()), `coid answered after ${Math.round(slowestMs)} ms`);
  });
}

/** How many programs serve or wait there. */
async function waiting({ incus }: Bed, name: string): Promise<number | undefined> {
  const states = await incus.execCaptured(name, {
    command: ['sh', '-c', 'cat /proc/[0-9]*/stat'],
  });
  return states.stdout.toString().match(/\(perl\) [SD] /g)?.length;
}

/** And how long the slowest answer of coid took meanwhile. */
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
