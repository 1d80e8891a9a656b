import assert from 'node:assert/strict';
import { Duplex, PassThrough } from 'node:stream';
import { test } from 'node:test';
import { joinTerminal } from './silent-terminal-retry.ts';

/** A terminal that prints that text, if any, and ends when it is closed. */
function remote(text?: string) {
  const stream = new Duplex({ read: () => undefined, write: (_, __, done) => done() });
  if (text !== undefined) setImmediate(() => stream.push(text));
  const { promise: status, reject } = Promise.withResolvers<number>();
  status.catch(() => undefined);
  const close = (why = 'closed') => {
    stream.destroy();
    reject(new Error(why));
  };
  return { stream, status, close, resize: () => undefined };
}

const isLost = (error: Error) => error.message === 'never ran';
const brief = { isLost, silencesMs: [50, 50] };
const patient = { isLost, silencesMs: [10_000, 10_000] };

function local() {
  const stdout = new PassThrough();
  return { stdin: new PassThrough() as never, stdout: stdout as never, shown: stdout };
}

test('a terminal without output is closed and another one is opened', async () => {
  const [dark, lit] = [remote(), remote('hello')];
  const waiting = [dark, lit];
  const { shown, ...own } = local();
  const open = async () => waiting.shift() ?? assert.fail('a third was opened');
  const joined = await joinTerminal(open, own, new AbortController().signal, brief);
  assert.equal(joined?.remote, lit);
  assert.ok(dark.stream.destroyed);
  assert.equal(String(shown.read()), 'hello');
  lit.close();
  assert.equal((await joined.ended).kind, 'lost');
});

test('if every terminal stays without output, all are closed and the retry gives up', async () => {
  const opened: ReturnType<typeof remote>[] = [];
  const open = async () => {
    const one = remote();
    opened.push(one);
    return one;
  };
  assert.equal(await joinTerminal(open, local(), new AbortController().signal, brief), undefined);
  assert.ok(opened.length > 1);
  assert.ok(opened.every(({ stream }) => stream.destroyed));
});

test('a terminal that ends without output is not opened again', async () => {
  const one = remote();
  const joining = joinTerminal(async () => one, local(), new AbortController().signal, patient);
  setImmediate(() => one.close());
  assert.equal((await joining)?.remote, one);
});

test('a terminal that Incus never ran is opened again, up to the limits', async () => {
  const [lost, lit, never] = [remote(), remote('hello'), [remote(), remote()]];
  const waiting = [lost, lit];
  const open = async () => waiting.shift() ?? assert.fail('a third was opened');
  const joining = joinTerminal(open, local(), new AbortController().signal, patient);
  setImmediate(() => lost.close('never ran'));
  assert.equal((await joining)?.remote, lit);
  lit.close();

  const last = never[1];
  const opening = async () => {
    const one = never.shift() ?? assert.fail('a third was opened');
    setImmediate(() => one.close('never ran'));
    return one;
  };
  const joined = await joinTerminal(opening, local(), new AbortController().signal, patient);
  assert.equal(joined?.remote, last);
  assert.equal((await joined?.ended)?.kind, 'lost');
});
