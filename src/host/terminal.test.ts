// A terminal that is joined again and again, as a program that uses the library does it.
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { bridgeTerminal } from './terminal.ts';

test('nothing is left on the terminal after it was joined twenty times', async () => {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  const local = {
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout: stdout as unknown as NodeJS.WriteStream,
  };
  const counted = () =>
    [stdin, stdout].map((stream) =>
      ['error', 'data', 'drain', 'resize'].map((name) => stream.listenerCount(name)),
    );
  const before = counted();
  for (let times = 0; times < 20; times += 1) {
    const remote = {
      stream: new PassThrough(),
      resize: () => {},
      status: Promise.resolve(0),
      close: () => {},
    };
    await bridgeTerminal(local, remote, new AbortController().signal);
  }
  for (const _ of [1, 2]) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(counted(), before);
});
