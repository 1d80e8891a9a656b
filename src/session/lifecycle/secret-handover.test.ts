import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import { describe, test } from 'node:test';
import type { PipedExec } from '../../incus/client.ts';
import { foundMark, readyMark } from '../plan/environment.ts';
import { startOnce } from './secret-handover.ts';

const signal = new AbortController().signal;
const handed = { text: 'command\n', needs: 'agent' };

/** An exec whose status arrives, as with Incus, when it has ended and both outputs were read. */
function fakeExec(run: (exec: Fake) => Promise<number>): PipedExec {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const read = (stream: Readable) =>
    stream.readableEnded ? Promise.resolve() : once(stream, 'end').then(() => {});
  const status = run({ stdin, stdout, stderr }).then(async (code) => {
    stdout.end();
    stderr.end();
    await Promise.all([read(stdout), read(stderr)]);
    return code;
  });
  return { stdin, stdout, stderr, status, signal: () => {}, close: () => {} };
}

interface Fake {
  readonly stdin: PassThrough;
  readonly stdout: PassThrough;
  readonly stderr: PassThrough;
}

const readAll = async (stream: Readable) => {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
};

describe('stderr of a starter', () => {
  test('stderr output of any length does not keep a starter from being ready', {
    timeout: 5000,
  }, async () => {
    const exec = await startOnce(
      async () =>
        fakeExec(async ({ stdin, stdout, stderr }) => {
          for (let at = 0; at < 100; at += 1)
            if (!stderr.write('x'.repeat(10_000))) await once(stderr, 'drain');
          stderr.write('last words');
          stdout.write(`${readyMark}\n`);
          await once(stdin, 'data');
          return 0;
        }),
      'command\n',
      signal,
    );
    exec.stdout.resume();
    const reported = await readAll(exec.stderr);
    assert.ok(reported.length < 20_000, String(reported.length));
    assert.match(reported, /xxlast words$/);
    assert.equal(await exec.status, 0);
  });

  test('stderr of a starter is reported if it ends before its command', {
    timeout: 5000,
  }, async () => {
    const failing = startOnce(
      async () =>
        fakeExec(async ({ stdout, stderr }) => {
          stdout.write('on stdout\n');
          stderr.write('sh: no such thing\n');
          return 127;
        }),
      'command\n',
      signal,
    );
    await assert.rejects(failing, {
      code: 'session-failed',
      message: /the starter ended with status 127: on stdout; sh: no such thing$/,
    });
  });

  test("stderr after the hand-over is the command's, and nothing of it is lost", {
    timeout: 5000,
  }, async () => {
    for (const isOver of [false, true]) {
      const text = `${'y'.repeat(200_000)}end`;
      const exec = await startOnce(
        async () =>
          fakeExec(async ({ stdin, stdout, stderr }) => {
            stdout.write(`${readyMark}\n`);
            await once(stdin, 'data');
            // Output on one stream may arrive before earlier output on the other.
            stderr.write(text);
            if (isOver) stderr.end();
            if (isOver) await once(stderr, 'end');
            stdout.write(`${foundMark} yes\n`);
            return 3;
          }),
        handed,
        signal,
      );
      exec.stdout.resume();
      let reported = '';
      exec.stderr.on('data', (chunk) => {
        reported += String(chunk);
      });
      exec.stderr.resume();
      assert.equal(await exec.status, 3);
      assert.equal(reported, text);
    }
  });
});
