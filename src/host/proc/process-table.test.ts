// A look at processes keeps to its allowance, says what it left, and comes to all of them in time.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { Allowance, atOnce } from './allowance.ts';
import { directReader, waits } from './patient-read.ts';
import { ProcessTable } from './process-table.ts';
import { statOf } from './processes.ts';

const children: ChildProcess[] = Array.from({ length: 6 }, () => spawn('sleep', ['infinity']));
const pids = children.flatMap(({ pid }) => pid ?? []);
const interest = {
  closely: ({ comm }: { comm: string }) => comm === 'sleep',
  descriptors: () => true,
};

after(() => {
  for (const child of children) child.kill();
});

/** Each question for the time takes that much of it. */
function ticking(stepMs: number): Allowance {
  let nowMs = 0;
  return new Allowance(() => {
    nowMs += stepMs;
    return nowMs;
  });
}

test('with enough time all are read at once', () => {
  const { processes, unfinished, processesLate } = atOnce(
    new ProcessTable(interest).read(pids, ticking(0)),
  );
  assert.deepEqual(
    processes.map(({ pid }) => pid),
    pids,
  );
  assert.deepEqual([unfinished, processesLate], [false, 0]);
  assert.ok(processes.every(({ descriptors }) => descriptors.length >= 3));
});

test('with little time the rest comes later, and what waits for too long is told', () => {
  const table = new ProcessTable(interest);
  const first = atOnce(table.read(pids, ticking(10)));
  assert.ok(first.unfinished);
  assert.ok(first.processes.length < pids.length);
  const seen = new Set(first.processes.map(({ pid }) => pid));
  for (let look = 0; look < 12; look += 1)
    for (const { pid } of atOnce(table.read(pids, ticking(10))).processes) seen.add(pid);
  assert.equal(seen.size, pids.length);
  const starved = new ProcessTable(interest);
  const late = Array.from(
    { length: 8 },
    () => atOnce(starved.read(pids, ticking(40))).processesLate,
  );
  assert.equal(late[0], 0);
  assert.ok((late.at(-1) ?? 0) > 0, late.join());
});

test('a process whose first thread has ended is read from another one', async () => {
  const script = `import ctypes, os, threading, time
def wait():
    while ') Z ' not in open('/proc/%d/stat' % os.getpid()).read(): time.sleep(0.01)
    print('there', flush=True)
    time.sleep(60)
threading.Thread(target=wait).start()
ctypes.CDLL(None).pthread_exit(None)`;
  const child = spawn('python3', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    await once(child.stdout, 'data');
    const pid = child.pid ?? 0;
    const stat = statOf(pid, directReader);
    assert.equal(stat !== waits && stat?.state, 'Z');
    const { processes } = atOnce(new ProcessTable(interest).read([pid], ticking(0)));
    assert.match(processes[0]?.exe ?? '', /python3/);
    assert.match(String(processes[0]?.place), /^\d+\/task\/\d+$/);
    assert.match(processes[0]?.std[0] ?? '', /^(?:pipe|socket):/);
  } finally {
    child.kill('SIGKILL');
  }
});

test('others get a turn while a look goes on', () => {
  const steps = new ProcessTable(interest).read(pids, ticking(9));
  assert.equal(steps.next().done, false);
});
