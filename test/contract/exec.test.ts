// Exec in an instance: every byte and every status arrives.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { IncusError } from '../../src/incus/client.ts';
import { argv } from './commands.ts';
import { type DaemonBed, daemons, finish, testLimit } from './daemons.ts';

for (const daemon of daemons) {
  describe(`exec of the ${daemon.name} daemon`, testLimit, () => {
    let bench: DaemonBed;
    let name: string;
    before(async () => {
      bench = await daemon.open();
      name = bench.name('exec');
      await finish(
        bench.incus.createInstance({
          name,
          type: 'container',
          start: true,
          source: { type: 'image', fingerprint: bench.fingerprint },
        }),
      );
    });
    after(() => bench[Symbol.asyncDispose]());
    const run = (command: readonly string[], input?: string | Buffer) =>
      bench.incus.execCaptured(name, { command, ...(input === undefined ? {} : { input }) });

    it('exec keeps the two outputs apart and passes the status on', async () => {
      const { status, stdout, stderr } = await run(argv.bothOutputs);
      assert.deepEqual([status, String(stdout), String(stderr)], [7, 'out\n', 'err\n']);
    });

    for (const status of [0, 1, 126, 127, 255]) {
      it(`exec passes on status ${status}`, async () => {
        assert.equal((await run(argv.status(status))).status, status);
      });
    }

    it('exec tells a command that is missing (127), not executable (126) or killed (137)', async () => {
      assert.equal((await run(argv.notFound)).status, 127);
      assert.equal((await run(argv.notExecutable)).status, 126);
      assert.equal((await run(argv.killItself)).status, 137);
    });

    it('exec passes binary input through byte for byte, and its end', async () => {
      const input = Buffer.alloc(3_000_000, createHash('sha512').update('coit').digest());
      const { status, stdout } = await run(argv.copy, input);
      assert.equal(status, 0);
      assert.ok(stdout.equals(input));
    });

    it('an exec whose command reads only part of its input ends normally', async () => {
      const { status, stdout } = await run(argv.ignoreInput, 'x'.repeat(4_000_000));
      assert.deepEqual([status, String(stdout)], [0, 'xxx']);
    });

    it('a slow reader gets all output of an exec, and the status comes last', async () => {
      const exec = await bench.incus.execPiped(name, { command: argv.manyBytes });
      let size = 0;
      let ended = false;
      exec.status.then(() => {
        ended = true;
      });
      exec.stderr.resume();
      // One piece per turn of the event loop, so that the daemon has to wait.
      for await (const chunk of exec.stdout) {
        assert.ok(!ended);
        size += (chunk as Buffer).length;
        await new Promise(setImmediate);
      }
      assert.equal(await exec.status, 0);
      assert.equal(size, 8_000_000);
    });

    it('exec sets the environment', async () => {
      const environment = { COIT_VALUE: 'blue sky' };
      const { stdout } = await bench.incus.execCaptured(name, {
        command: argv.environment,
        environment,
      });
      assert.equal(String(stdout), 'blue sky');
    });

    it('a signal reaches the command of an exec', async () => {
      const exec = await bench.incus.execPiped(name, { command: argv.longSleep });
      exec.stdout.resume();
      exec.stderr.resume();
      exec.signal(15);
      assert.equal(await exec.status, 143);
    });

    it('an aborted exec rejects with the reason, and its command ends', async () => {
      const controller = new AbortController();
      const { signal } = controller;
      const exec = await bench.incus.execPiped(name, { command: argv.holdLock }, { signal });
      exec.stderr.resume();
      await once(exec.stdout, 'data');
      const reason = new Error('enough');
      controller.abort(reason);
      await assert.rejects(exec.status, reason);
      assert.equal((await run(argv.takeLock)).status, 0);
    });

    it('a captured exec that exceeds its limit fails, and its command ends', async () => {
      const slow = bench.incus.execCaptured(name, { command: argv.holdLock }, { timeoutMs: 400 });
      await assert.rejects(
        slow,
        (error) => error instanceof IncusError && error.errno === 'ETIMEDOUT',
      );
      assert.equal((await run(argv.takeLock)).status, 0);
    });

    it("an exec's terminal has the requested size and follows resizes", async () => {
      const exec = await bench.incus.execTerminal(name, {
        command: argv.sizes,
        columns: 101,
        rows: 31,
      });
      const screen = reader(exec.stream);
      await screen.until('ready');
      exec.stream.write('\r');
      await screen.until('31 101');
      exec.resize(90, 20);
      // The size uses another socket than the keys, so it is queried a few times.
      for (let attempts = 0; attempts < 50 && !screen.text().includes('20 90'); attempts += 1) {
        exec.stream.write('\r');
        await screen.more();
      }
      await screen.until('20 90');
      exec.stream.write('end\r');
      assert.equal(await exec.status, 3);
      assert.ok(exec.stream.readableEnded);
    });

    it('exec is refused with 400 in a stopped instance and with 404 without one', async () => {
      const refused = (status: number) => (error: unknown) =>
        error instanceof IncusError && error.status === status;
      await finish(bench.incus.changeState(name, { action: 'stop', force: true }));
      await assert.rejects(run(argv.succeed), refused(400));
      await assert.rejects(
        bench.incus.execCaptured(bench.name('absent'), { command: argv.succeed }),
        refused(404),
      );
    });
  });
}

function reader(stream: NodeJS.ReadableStream) {
  let text = '';
  stream.on('data', (chunk) => {
    text += String(chunk);
  });
  const more = () => once(stream, 'data');
  const until = async (wanted: string) => {
    while (!text.includes(wanted)) await more();
  };
  return { text: () => text, more, until };
}
