// Names are reused: an action on one container does not affect its successor of the same name, however long a program
// or a question waited.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { removeInstance } from '../bed/incus.ts';
import { endMs, homeFile, runInside, startMs, stopFromOutside } from './conversation.ts';

const timeout = 180_000;
const program = resolve(import.meta.dirname, 'library-program.ts');

async function configured(bed: Bed): Promise<void> {
  homeFile(bed, '.coi/config.toml', `[container]\nimage = "${bed.image}"\n`);
}

async function mustCoi(bed: Bed, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await bed.coi(args);
  assert.equal(status, 0, `${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** A background session in slot 1. */
async function startInBackground(
  bed: Bed,
  ...flags: string[]
): Promise<{ name: string; id: string }> {
  const output = await mustCoi(bed, 'shell', '--background', '--json', '--slot', '1', ...flags);
  const { container, session_id } = JSON.parse(output) as { container: string; session_id: string };
  return { name: container, id: session_id };
}

async function statusOf(bed: Bed, name: string): Promise<string | undefined> {
  return (await bed.incus.instance(name))?.instance.status;
}

test('a program whose session was killed does not touch the next session of that name', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await configured(bed);
  const screen = bed.command([process.execPath, program, 'hold'], { cwd: bed.workspace.path });
  const [, opened = ''] =
    /opened (\S+-1)$/m.exec(await screen.waitFor(/opened \S+-1$/m, startMs)) ?? [];
  await mustCoi(bed, 'kill', opened);
  const { name } = await startInBackground(bed);
  assert.equal(name, opened);
  screen.type('\r');
  assert.match(
    await screen.waitFor('left', endMs),
    /run: session-not-found, attach: session-not-found/,
  );
  assert.equal(await statusOf(bed, name), 'Running');
  const there = await runInside(bed, name, 'sh', '-c', 'ls /tmp/of-the-library 2>&1 || true');
  assert.match(there, /No such file/);
});

test('a program that opens a saved session twice at once gets it once', { timeout }, async () => {
  await using bed = await makeBed();
  await configured(bed);
  const { id } = await startInBackground(bed);
  await mustCoi(bed, 'kill', '--all', '--force');
  const argv = [process.execPath, program, 'twice', id];
  const output = await bed.user.run(argv, {
    cwd: bed.workspace.path,
    env: bed.env,
    limitMs: timeout,
  });
  assert.equal(output.status, 0, output.stderr);
  assert.match(output.stdout, /^refused: session-live; live: \S+;\nleft\n$/);
});

test('coi clean skips containers that were started, recreated or resumed during its question', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await configured(bed);
  const { name } = await startInBackground(bed, '--persistent');
  await stopFromOutside(bed, name);
  const asking = bed.screen(['clean', '--all']);
  await asking.waitFor('Delete 1 item(s)?', startMs);
  await startInBackground(bed, '--persistent');
  asking.type('y\r');
  await asking.ended(endMs);
  assert.match(asking.history(), /since it was listed, so it is left alone/);
  assert.equal(await statusOf(bed, name), 'Running');

  await stopFromOutside(bed, name);
  const again = bed.screen(['clean', '--all']);
  await again.waitFor('Delete 1 item(s)?', startMs);
  await removeInstance(bed.incus, name);
  await startInBackground(bed, '--persistent');
  await stopFromOutside(bed, name);
  again.type('y\r');
  await again.ended(endMs);
  assert.equal(await statusOf(bed, name), 'Stopped');
  // Unchanged meanwhile, so it is removed.
  const last = bed.screen(['clean', '--all']);
  await last.waitFor('Delete 1 item(s)?', startMs);
  last.type('y\r');
  await last.ended(endMs);
  assert.equal(await statusOf(bed, name), undefined);
});

test('coi clean --sessions skips a store that was resumed during its question', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await configured(bed);
  const { name, id } = await startInBackground(bed);
  await runInside(bed, name, 'sh', '-c', 'echo kept >/home/code/.claude/note');
  await mustCoi(bed, 'kill', name);
  const asking = bed.screen(['clean', '--sessions']);
  await asking.waitFor('Delete 1 item(s)?', startMs);
  const resumed = await startInBackground(bed, `--resume=${id}`);
  asking.type('y\r');
  await asking.ended(endMs);
  assert.match(asking.history(), /it was resumed since it was listed, so it is left alone/);
  assert.equal(await runInside(bed, resumed.name, 'cat', '/home/code/.claude/note'), 'kept\n');
});

test('coi kill ends only the sessions that it listed before its question', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await configured(bed);
  const { name } = await startInBackground(bed);
  const asking = bed.screen(['kill', '--all']);
  await asking.waitFor('Kill 1 container(s)?', startMs);
  await mustCoi(bed, 'kill', name);
  await startInBackground(bed);
  asking.type('y\r');
  await asking.ended(endMs);
  assert.match(asking.history(), /gone or replaced by another container; skipped/);
  assert.equal(await statusOf(bed, name), 'Running');
  const kept = bed.screen(['kill', '--all']);
  await kept.waitFor('Kill 1 container(s)?', startMs);
  await mustCoi(bed, 'persist', name);
  kept.type('y\r');
  await kept.ended(endMs);
  assert.match(kept.history(), /is now persistent; skipped/);
  assert.equal(await statusOf(bed, name), 'Running');
});

test('a snapshot is not restored into a session that was started during the question', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await configured(bed);
  const { name } = await startInBackground(bed, '--persistent');
  await mustCoi(bed, 'snapshot', 'create', 'one');
  await stopFromOutside(bed, name);
  const asking = bed.screen(['snapshot', 'restore', 'one']);
  await asking.waitFor('Restore it?', startMs);
  await startInBackground(bed, '--persistent');
  await runInside(bed, name, 'sh', '-c', 'echo new | tee /root/note /home/code/.claude/note');
  asking.type('y\r');
  const { status } = await asking.ended(endMs);
  assert.equal(status, 1);
  assert.match(asking.history(), /was started meanwhile/);
  assert.equal(await statusOf(bed, name), 'Running');
  const notes = await runInside(bed, name, 'cat', '/root/note', '/home/code/.claude/note');
  assert.equal(notes, 'new\nnew\n');
});

test('a snapshot of an ephemeral session changes neither its kind nor the effect of coi persist', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await configured(bed);
  const { name } = await startInBackground(bed);
  const persistent = async () =>
    (await bed.incus.instance(name))?.instance.config['user.coi.persistent'];
  const snapshot = `s-${randomUUID().slice(0, 8)}`;
  // Each state of the marker on the way: an interruption would leave it there.
  const seen = new Set<string | undefined>();
  const events = bed.incus.events(['lifecycle']);
  await events.ready;
  const looking = (async () => {
    for await (const event of events) {
      if (event.type !== 'lifecycle') continue;
      if (event.metadata.action === 'instance-updated') seen.add(await persistent());
      if (event.metadata.action === 'instance-snapshot-created') break;
    }
  })();
  await mustCoi(bed, 'snapshot', 'create', snapshot);
  await looking;
  events.close();
  assert.deepEqual([...seen], ['false']);
  const second = bed.startCoi(['snapshot', 'create', 'other']);
  await mustCoi(bed, 'persist', name);
  assert.equal((await second.result).status, 0);
  assert.equal(await persistent(), 'true');
  await stopFromOutside(bed, name);
  await mustCoi(bed, 'snapshot', 'restore', snapshot, '--force');
  assert.equal(await persistent(), 'true');
  assert.equal(await statusOf(bed, name), 'Stopped');
});
