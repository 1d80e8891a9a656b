import assert from 'node:assert/strict';
import { Duplex, PassThrough } from 'node:stream';
import { test } from 'node:test';
import { joinTerminal } from './join-terminal.ts';

/** One that says that, if anything; it ends when it is closed. */
function remote(text?: string) {
  const stream = new Duplex({ read: () => undefined, write: (_, __, done) => done() });
  if (text !== undefined) setImmediate(() => stream.push(text));
  const { promise: status, reject } = Promise.withResolvers<number>();
  status.catch(() => undefined);
  const close = () => {
    stream.destroy();
    reject(new Error('closed'));
  };
  return { stream, status, close, resize: () => undefined };
}

function local() {
  const stdout = new PassThrough();
  return { stdin: new PassThrough() as never, stdout: stdout as never, shown: stdout };
}

test('a terminal that stays dark is closed, and another is opened', async () => {
  const [dark, lit] = [remote(), remote('hello')];
  const waiting = [dark, lit];
  const { shown, ...own } = local();
  const open = async () => waiting.shift() ?? assert.fail('a third was opened');
  const joined = await joinTerminal(open, own, new AbortController().signal, 50);
  assert.equal(joined?.remote, lit);
  assert.ok(dark.stream.destroyed);
  assert.equal(String(shown.read()), 'hello');
  lit.close();
  assert.equal((await joined.ended).kind, 'lost');
});

test('where each stays dark it is given up, and each is closed', async () => {
  const opened: ReturnType<typeof remote>[] = [];
  const open = async () => {
    const one = remote();
    opened.push(one);
    return one;
  };
  assert.equal(await joinTerminal(open, local(), new AbortController().signal, 50), undefined);
  assert.ok(opened.length > 1);
  assert.ok(opened.every(({ stream }) => stream.destroyed));
});

test('one that ends without a word is not opened again', async () => {
  const one = remote();
  const joining = joinTerminal(async () => one, local(), new AbortController().signal, 10_000);
  setImmediate(one.close);
  assert.equal((await joining)?.remote, one);
});
