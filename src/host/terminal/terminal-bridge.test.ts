// A terminal that is joined repeatedly, as by a program that uses the library.
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { AlternateScreen, bridgeTerminal } from './terminal-bridge.ts';

test('joining twenty times leaves no listener on the terminal', async () => {
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

test('what the terminal still answers after an interruption is dropped before it gets its modes back', async () => {
  const stdin = new PassThrough();
  const modes: boolean[] = [];
  const interrupt = new AbortController();
  const remote = {
    stream: new PassThrough(),
    resize: () => {},
    status: new Promise<number>(() => {}),
    close: () => void setImmediate(() => stdin.write('\u001b[?1;2c')),
  };
  const local = {
    stdin: Object.assign(stdin, {
      setRawMode: (on: boolean) => modes.push(on),
    }) as unknown as NodeJS.ReadStream,
    stdout: new PassThrough() as unknown as NodeJS.WriteStream,
  };
  const bridged = bridgeTerminal(local, remote, interrupt.signal);
  interrupt.abort();
  assert.deepEqual(await bridged, { kind: 'interrupted' });
  assert.deepEqual(modes, [true, false]);
  for (const _ of [1, 2]) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(stdin.read(), null);
});

test('the start and end of the alternate screen are seen, even if a chunk splits the sequence', () => {
  const seen = (...chunks: string[]) => {
    const screen = new AlternateScreen();
    for (const chunk of chunks) screen.see(Buffer.from(chunk));
    return screen.isOn;
  };
  assert.equal(seen('plain'), false);
  assert.equal(seen('a\u001b[?1049h', 'b'), true);
  assert.equal(seen('a\u001b[?10', '4', '9hb'), true);
  assert.equal(seen('\u001b[?1049h words \u001b[?1049l'), false);
  assert.equal(seen('\u001b[?1049h', 'words', '\u001b[?104', '9l'), false);
});
