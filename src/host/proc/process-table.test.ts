// Reading the process table stays within its time limit, reports the rest, and gets to every process in time.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { Allowance, runToEnd } from './allowance.ts';
import { blockedRead, directReader } from './bounded-read.ts';
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

/** Each query of the clock takes that much time. */
function ticking(stepMs: number): Allowance {
  let nowMs = 0;
  return new Allowance(() => {
    nowMs += stepMs;
    return nowMs;
  });
}

test('with enough time all processes are read at once', () => {
  const { processes, unfinished, processesLate } = runToEnd(
    new ProcessTable(interest).read(pids, ticking(0)),
  );
  assert.deepEqual(
    processes.map(({ pid }) => pid),
    pids,
  );
  assert.deepEqual([unfinished, processesLate], [false, 0]);
  assert.ok(processes.every(({ descriptors }) => descriptors.length >= 3));
});

test('with little time the rest is read later, and late processes are counted', () => {
  const table = new ProcessTable(interest);
  const first = runToEnd(table.read(pids, ticking(10)));
  assert.ok(first.unfinished);
  assert.ok(first.processes.length < pids.length);
  const seen = new Set(first.processes.map(({ pid }) => pid));
  for (let look = 0; look < 12; look += 1)
    for (const { pid } of runToEnd(table.read(pids, ticking(10))).processes) seen.add(pid);
  assert.equal(seen.size, pids.length);
  const starved = new ProcessTable(interest);
  const late = Array.from(
    { length: 8 },
    () => runToEnd(starved.read(pids, ticking(40))).processesLate,
  );
  assert.equal(late[0], 0);
  assert.ok((late.at(-1) ?? 0) > 0, late.join());
});

test('descriptors that cannot be read are reported if that lasts, not for a moment', () => {
  let isBlocked = true;
  const table = new ProcessTable(interest, {
    ...directReader,
    links: (paths) =>
      isBlocked && paths[0]?.includes('/fd/') ? blockedRead : directReader.links(paths),
  });
  const read = () => runToEnd(table.read(pids, ticking(0)));
  const late = () => read().descriptorsLate;
  const isWhole = () => read().processes.every(({ descriptors }) => descriptors.length >= 3);
  assert.deepEqual([late(), late()], [0, 0]);
  isBlocked = false;
  assert.equal(late(), 0);
  // A blocked read hides nothing that was seen before.
  isBlocked = true;
  assert.equal(isWhole(), true);
  isBlocked = false;
  assert.equal(isWhole(), true);
  isBlocked = true;
  assert.deepEqual([late(), late(), late(), late(), late()], [0, 0, 0, 0, 0]);
  assert.equal(late(), pids.length);
  isBlocked = false;
  assert.equal(late(), 0);
});

test('a process whose first thread ended is read from another thread', async () => {
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
    assert.equal(stat !== blockedRead && stat?.state, 'Z');
    const { processes } = runToEnd(new ProcessTable(interest).read([pid], ticking(0)));
    assert.match(processes[0]?.exe ?? '', /python3/);
    assert.match(String(processes[0]?.procPath), /^\d+\/task\/\d+$/);
    assert.match(processes[0]?.std[0] ?? '', /^(?:pipe|socket):/);
  } finally {
    child.kill('SIGKILL');
  }
});

test('reading the process table yields to other work', () => {
  const steps = new ProcessTable(interest).read(pids, ticking(9));
  assert.equal(steps.next().done, false);
});
