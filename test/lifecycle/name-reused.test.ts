// Names are given out again: what was meant for one container does not reach the next of its name, however long a program
// or a question waited.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { removeInstance } from '../bed/incus.ts';
import { endMs, homeFile, inside, startMs, stopFromOutside } from './talk.ts';

const timeout = 180_000;
const program = resolve(import.meta.dirname, 'library-program.ts');

async function configured(bed: Bed): Promise<void> {
  homeFile(bed, '.coi/config.toml', `[container]\nimage = "${bed.image}"\n`);
}

async function good(bed: Bed, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await bed.coi(args);
  assert.equal(status, 0, `${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** A session in the background, in slot 1. */
async function background(bed: Bed, ...flags: string[]): Promise<{ name: string; id: string }> {
  const said = await good(bed, 'shell', '--background', '--json', '--slot', '1', ...flags);
  const { container, session_id } = JSON.parse(said) as { container: string; session_id: string };
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
  await good(bed, 'kill', opened);
  const { name } = await background(bed);
  assert.equal(name, opened);
  screen.type('\r');
  assert.match(
    await screen.waitFor('left', endMs),
    /run: session-not-found, attach: session-not-found/,
  );
  assert.equal(await statusOf(bed, name), 'Running');
  const there = await inside(bed, name, 'sh', '-c', 'ls /tmp/of-the-library 2>&1 || true');
  assert.match(there, /No such file/);
});

test('a program that opens one saved session twice at once gets it once', { timeout }, async () => {
  await using bed = await makeBed();
  await configured(bed);
  const { id } = await background(bed);
  await good(bed, 'kill', '--all', '--force');
  const argv = [process.execPath, program, 'twice', id];
  const said = await bed.user.run(argv, {
    cwd: bed.workspace.path,
    env: bed.env,
    limitMs: timeout,
  });
  assert.equal(said.status, 0, said.stderr);
  assert.match(said.stdout, /^refused: session-live; live: \S+;\nleft\n$/);
});

test('coi clean leaves alone what was started, made anew or resumed while it asked', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await configured(bed);
  const { name } = await background(bed, '--persistent');
  await stopFromOutside(bed, name);
  const asking = bed.screen(['clean', '--all']);
  await asking.waitFor('Delete 1 item(s)?', startMs);
  await background(bed, '--persistent');
  asking.type('y\r');
  await asking.ended(endMs);
  assert.match(asking.history(), /since it was listed, so it is left alone/);
  assert.equal(await statusOf(bed, name), 'Running');

  await stopFromOutside(bed, name);
  const again = bed.screen(['clean', '--all']);
  await again.waitFor('Delete 1 item(s)?', startMs);
  await removeInstance(bed.incus, name);
  await background(bed, '--persistent');
  await stopFromOutside(bed, name);
  again.type('y\r');
  await again.ended(endMs);
  assert.equal(await statusOf(bed, name), 'Stopped');
  // Nothing came between: it goes.
  const last = bed.screen(['clean', '--all']);
  await last.waitFor('Delete 1 item(s)?', startMs);
  last.type('y\r');
  await last.ended(endMs);
  assert.equal(await statusOf(bed, name), undefined);
});

test('coi clean --sessions leaves a store alone that was resumed while it asked', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await configured(bed);
  const { name, id } = await background(bed);
  await inside(bed, name, 'sh', '-c', 'echo kept >/home/code/.claude/note');
  await good(bed, 'kill', name);
  const asking = bed.screen(['clean', '--sessions']);
  await asking.waitFor('Delete 1 item(s)?', startMs);
  const resumed = await background(bed, `--resume=${id}`);
  asking.type('y\r');
  await asking.ended(endMs);
  assert.match(asking.history(), /it was resumed since it was listed, so it is left alone/);
  assert.equal(await inside(bed, resumed.name, 'cat', '/home/code/.claude/note'), 'kept\n');
});

test('coi kill ends only what was listed when it asked', { timeout }, async () => {
  await using bed = await makeBed();
  await configured(bed);
  const { name } = await background(bed);
  const asking = bed.screen(['kill', '--all']);
  await asking.waitFor('Kill 1 container(s)?', startMs);
  await good(bed, 'kill', name);
  await background(bed);
  asking.type('y\r');
  await asking.ended(endMs);
  assert.match(asking.history(), /left alone/);
  assert.equal(await statusOf(bed, name), 'Running');
  const kept = bed.screen(['kill', '--all']);
  await kept.waitFor('Kill 1 container(s)?', startMs);
  await good(bed, 'persist', name);
  kept.type('y\r');
  await kept.ended(endMs);
  assert.match(kept.history(), /is persistent by now, so it is left alone/);
  assert.equal(await statusOf(bed, name), 'Running');
});

test('a snapshot is not restored into a session that was started while it was asked', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await configured(bed);
  const { name } = await background(bed, '--persistent');
  await good(bed, 'snapshot', 'create', 'one');
  await stopFromOutside(bed, name);
  const asking = bed.screen(['snapshot', 'restore', 'one']);
  await asking.waitFor('Restore it?', startMs);
  await background(bed, '--persistent');
  await inside(bed, name, 'sh', '-c', 'echo new | tee /root/note /home/code/.claude/note');
  asking.type('y\r');
  const { status } = await asking.ended(endMs);
  assert.equal(status, 1);
  assert.match(asking.history(), /was started meanwhile/);
  assert.equal(await statusOf(bed, name), 'Running');
  const notes = await inside(bed, name, 'cat', '/root/note', '/home/code/.claude/note');
  assert.equal(notes, 'new\nnew\n');
});

test('a snapshot of an ephemeral session changes neither what it is nor what coi persist makes of it', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await configured(bed);
  const { name } = await background(bed);
  const persistent = async () =>
    (await bed.incus.instance(name))?.instance.config['user.coi.persistent'];
  const snapshot = `s-${randomUUID().slice(0, 8)}`;
  // Each state that the mark has on the way: an interrupted one would stay.
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
  await good(bed, 'snapshot', 'create', snapshot);
  await looking;
  events.close();
  assert.deepEqual([...seen], ['false']);
  const second = bed.startCoi(['snapshot', 'create', 'other']);
  await good(bed, 'persist', name);
  assert.equal((await second.result).status, 0);
  assert.equal(await persistent(), 'true');
  await stopFromOutside(bed, name);
  await good(bed, 'snapshot', 'restore', snapshot, '--force');
  assert.equal(await persistent(), 'true');
  assert.equal(await statusOf(bed, name), 'Stopped');
});
