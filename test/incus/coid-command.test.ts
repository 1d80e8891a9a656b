// Goal: `coi daemon` says what is so, and refuses what cannot be. Method: the built program against a coid of the test's own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CommandResult, runCommand } from '../bed/command.ts';
import { coiPath } from '../bed/program.ts';
import { makeUser } from '../bed/users.ts';
import { coidBed } from './coid-bed.ts';

const limit = { timeout: 120_000 };

test('status, logs, stop and start of coid, also when it is not there', limit, async () => {
  await using bed = await coidBed();
  const env = { ...process.env, ...bed.daemon.env } as Record<string, string>;
  const daemon = (...args: string[]): Promise<CommandResult> =>
    runCommand([coiPath(), 'daemon', ...args], { env });

  const { pid } = await bed.coid.status();
  assert.match((await daemon('status')).stdout, new RegExp(`runs as process ${pid} since`));
  assert.match((await daemon('start')).stderr, new RegExp(`running already \\(process ${pid}\\)`));
  const lines = (await daemon('logs', '--lines', '1000')).stdout.trim().split('\n');
  const events = lines.map((line) => JSON.parse(line) as { event: string; level: string });
  assert.ok(events.some(({ event }) => event === 'serving'));
  assert.ok(events.every(({ level }) => level !== 'error'));
  assert.equal((await daemon('logs', '--lines', '1')).stdout.trim().split('\n').length, 1);

  assert.match((await daemon('stop')).stderr, /coid stopped/);
  assert.match((await daemon('stop')).stderr, /not running/);
  const gone = await daemon('status');
  assert.equal(gone.status, 1);
  assert.match(gone.stderr, /Hint: .*sudo coi daemon start/);
  assert.equal((await daemon('start')).status, 0);
  assert.notEqual((await bed.coid.status()).pid, pid);
});

test('what only root may do is refused to others, with what to type', limit, async () => {
  await using bed = await coidBed();
  await using undo = new AsyncDisposableStack();
  const user = undo.adopt(await makeUser(), (made) => made.remove());
  for (const verb of ['run', 'start', 'stop']) {
    // start says so only where none runs.
    const env = verb === 'start' ? { COI_RUN_DIR: '/run/coi-coit-nowhere' } : bed.daemon.env;
    const { status, stderr } = await user.run([coiPath(), 'daemon', verb], { env });
    assert.equal(status, 1, verb);
    assert.match(stderr, /root/);
    assert.match(stderr, /Hint: .*sudo coi daemon/);
  }
  const shown = await user.run([coiPath(), 'daemon', 'status'], { env: bed.daemon.env });
  assert.equal(shown.status, 0);
});
