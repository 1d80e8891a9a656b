// Pipe loops are found among any other pipes, in linear time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { threadTime } from '../host/proc/allowance.ts';
import { task } from './fixtures/load.ts';
import { Pipes } from './pipes.ts';

const shell = task({ pid: 10, std: ['/tmp/f', 'pipe:[1]', 'pipe:[1]'] });
const between = task({ pid: 11, comm: 'tee', std: ['pipe:[1]', 'pipe:[2]', '/dev/null'] });
const relay = task({ pid: 12, comm: 'nc', std: ['pipe:[2]', '/tmp/f', '/dev/null'] });
const isRelay = ({ comm }: { comm: string }) => comm === 'nc';

test('a shell and a relay in a loop are found, even with a program in between', () => {
  const pipes = new Pipes([shell, between, relay], isRelay);
  assert.equal(pipes.inLoopWith(shell)?.pid, 12);
  assert.equal(pipes.reachedBy(between)?.pid, 12);
});

test('a process that only writes to a relay is in no loop', () => {
  const writer = task({ pid: 10, std: ['/dev/null', 'pipe:[1]', '/dev/null'] });
  const pipes = new Pipes([writer, between, relay], isRelay);
  assert.equal(pipes.reachedBy(writer)?.pid, 12);
  assert.equal(pipes.inLoopWith(writer), undefined);
});

test('many processes that share pipes are checked quickly', () => {
  const crowd = Array.from({ length: 4000 }, (_, index) =>
    task({ pid: 1000 + index, std: ['pipe:[9]', 'pipe:[9]', 'pipe:[2]'] }),
  );
  const startedMs = threadTime();
  const pipes = new Pipes([...crowd, shell, between, relay], isRelay);
  assert.equal(crowd.filter((one) => pipes.inLoopWith(one)).length, 0);
  assert.equal(pipes.inLoopWith(shell)?.pid, 12);
  assert.ok(threadTime() - startedMs < 2000);
});
