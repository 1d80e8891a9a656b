// Goal: `coi daemon` reports the real state and refuses what is impossible. Method: the built program with a private coid.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CommandResult, runCommand } from '../bed/command.ts';
import { coiPath } from '../bed/program.ts';
import { makeUser } from '../bed/users.ts';
import { makeCoidBed } from './coid-bed.ts';

const limit = { timeout: 120_000 };

test(
  'coi daemon status, logs, stop and start work with and without a running coid',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const env = { ...process.env, ...bed.daemon.env } as Record<string, string>;
    const daemon = (...args: string[]): Promise<CommandResult> =>
      runCommand([coiPath(), 'daemon', ...args], { env });

    const { pid } = await bed.coid.status();
    assert.match((await daemon('status')).stdout, new RegExp(`is running \\(pid ${pid}\\) since`));
    assert.match((await daemon('start')).stderr, new RegExp(`already running \\(pid ${pid}\\)`));
    const lines = (await daemon('logs', '--lines', '1000')).stdout.trim().split('\n');
    const events = lines.map((line) => JSON.parse(line) as { event: string; level: string });
    assert.ok(events.some(({ event }) => event === 'serving'));
    assert.ok(events.every(({ level }) => level !== 'error'));
    assert.equal((await daemon('logs', '--lines', '1')).stdout.trim().split('\n').length, 1);

    assert.match((await daemon('stop')).stderr, /coid stopped/);
    assert.match((await daemon('stop')).stderr, /not running/);
    const withoutCoid = await daemon('status');
    assert.equal(withoutCoid.status, 1);
    assert.match(withoutCoid.stderr, /Hint: .*sudo coi daemon start/);
    assert.equal((await daemon('start')).status, 0);
    assert.notEqual((await bed.coid.status()).pid, pid);
  },
);

test('root-only commands are refused to others with the command to type', limit, async () => {
  await using bed = await makeCoidBed();
  await using undo = new AsyncDisposableStack();
  const user = undo.adopt(await makeUser(), (made) => made.remove());
  for (const verb of ['run', 'start', 'stop']) {
    // start prints it only if none is running.
    const env = verb === 'start' ? { COI_RUN_DIR: '/run/coi-coit-nowhere' } : bed.daemon.env;
    const { status, stderr } = await user.run([coiPath(), 'daemon', verb], { env });
    assert.equal(status, 1, verb);
    assert.match(stderr, /root/);
    assert.match(stderr, /Hint: .*sudo coi daemon/);
  }
  const shown = await user.run([coiPath(), 'daemon', 'status'], { env: bed.daemon.env });
  assert.equal(shown.status, 0);
});
