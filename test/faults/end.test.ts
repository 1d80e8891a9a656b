// coi, or coid, is killed at every call that it makes to Incus while a session ends: nothing that was said is lost, and
// the next command finds either a session that runs or none.
import assert from 'node:assert/strict';
import { statSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { untilGone } from '../bed/gone.ts';
import { openRelay } from '../bed/incus-relay.ts';
import { untilUnmounted } from '../bed/mounts.ts';
import {
  detach,
  inside,
  leaveAgent,
  live,
  metadataOf,
  said,
  say,
  sessionId,
  startMs,
  talk,
} from '../lifecycle/talk.ts';
import { calls, killedAt, moments } from './killed.ts';

const timeout = 240_000;
/** What coi waits for coid at the end, and more. */
const endMs = 30_000;

for (const { verb, kept, struck: those } of [
  { verb: 'kill', kept: false, struck: moments },
  // Each machine that shuts down takes its time, and before a call it is as with a kill.
  { verb: 'shutdown', kept: true, struck: ['answered'] },
] as const)
  test(`a ${verb} that is killed at any call leaves a session that runs, or none; the next ${verb} and resume are as ever`, {
    timeout,
  }, async () => {
    await using bed = await makeBed();
    const first = await talk(bed, kept ? ['--persistent'] : []);
    const id = sessionId(first);
    await say(first, 'kept words');
    await detach(first);
    for (const moment of those)
      for (let nth = 1, struck = true; struck; nth += 1) {
        const name = await running(bed);
        // Only at what changes something: what is asked between leaves nothing half done.
        const one = [verb, name];
        const { status, at, delivered } = await killedAt(bed, one, nth, moment, calls.answered);
        const where = `${moment} ${at}`;
        struck = at !== undefined;
        assert.equal(status, struck ? 137 : 0, where);
        if (delivered.some((call) => call.endsWith('/state'))) {
          const again = await bed.coi([verb, name]);
          assert.ok(again.status === 0 || /not found/.test(again.stderr), again.stderr);
          await untilGone(bed.incus, name, endMs);
        } else assert.equal(await statusOf(bed, name), 'Running', where);
        assert.match(said(bed, id), /kept words/, where);
        assert.equal(metadataOf(bed, id)['session_id'], id, where);
      }
    await nothingLeft(bed);
    const again = await talk(bed, [`--resume=${id}`]);
    assert.match(again.text(), /> kept words/);
  });

test('a coi shell that is killed at any call after its machine was switched off: the session ends as if it had lived', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await using stack = new AsyncDisposableStack();
  // As many as there are calls; on a busy machine coi looks more often. At the same time: each in its slot.
  const ends = await Promise.all(
    [1, 2, 3, 4, 5, 6, 7, Number.POSITIVE_INFINITY].map(async (nth, index) => {
      const relay = stack.use(await openRelay());
      const screen = await talk(bed, ['--slot', String(index + 1)], {
        env: { INCUS_SOCKET: relay.socketPath },
      });
      await say(screen, `words of ${nth}`);
      await leaveAgent(screen);
      screen.type("echo o''ff; sudo poweroff\r");
      // The shell has begun: what follows needs nobody who is attached. The echo of the line shows less than that.
      await screen.waitFor(/^off$/m);
      const strike = relay.strikeAt(nth, 'before', calls.before, () => screen.kill('SIGKILL'));
      await screen.ended(endMs);
      return { id: sessionId(screen), at: strike.at, words: `words of ${nth}` };
    }),
  );
  assert.ok(ends.some(({ at }) => at !== undefined));
  await Promise.all((await bed.instances()).map((name) => untilGone(bed.incus, name, endMs)));
  for (const { id, at, words } of ends) {
    assert.ok(said(bed, id).includes(words), at);
    assert.equal(metadataOf(bed, id)['session_id'], id, at);
  }
  await nothingLeft(bed);
  const { id, words } = ends[0] ?? { id: '', words: '' };
  const again = await talk(bed, [`--resume=${id}`]);
  assert.match(again.text(), new RegExp(`> ${words}`));
});

test('a coid that is killed before or after it deletes a container: the next one does what was left to do', {
  timeout,
}, async () => {
  await using relay = await openRelay();
  await using bed = await makeBed({ coidEnv: { INCUS_SOCKET: relay.socketPath } });
  for (const moment of moments) {
    const started = await bed.coi(['shell', '--background', '--image', bed.image]);
    assert.equal(started.status, 0, started.stderr);
    const [name = ''] = await bed.instances();
    // What was never seen to live counts as a start that failed, which has minutes.
    await live(bed, name);
    const tool = `tool-${moment}`;
    const make = `cp /bin/true ${tool} && chmod u+s ${tool} && stat -c %u ${tool}`;
    assert.equal(await inside(bed, name, 'sh', '-c', `cd /workspace && ${make}`), '0\n');
    const daemon = await bed.coid.status();
    assert.ok(daemon);
    const dead = new Promise<void>((resolve) => {
      relay.strikeAt(1, moment, /^DELETE \/1\.0\/instances\//, () => {
        process.kill(daemon.pid, 'SIGKILL');
        resolve();
      });
    });
    // How that ends is nobody's business: its machine is going.
    await bed.incus.execCaptured(name, { command: ['poweroff'] }).catch(() => undefined);
    await dead;
    const path = `${bed.workspace.path}/${tool}`;
    assert.notEqual(statSync(path).uid, bed.user.uid);
    relay.strikeAt(1, 'before', /^nothing/, () => {});
    await bed.coid.start();
    await untilGone(bed.incus, name, endMs);
    await nothingLeft(bed);
    await untilOwned(path, bed.user.uid);
    assert.equal(statSync(path).mode & 0o7777, 0o755, moment);
  }
});

/** Resolves when the file is that user's; rejects when the limit is over. */
async function untilOwned(path: string, uid: number): Promise<void> {
  const isOwned = () => statSync(path).uid === uid;
  const watcher = watch(dirname(path));
  try {
    await new Promise<void>((resolve, reject) => {
      const late = () => reject(new Error(`${path} belongs to ${statSync(path).uid}`));
      AbortSignal.timeout(endMs).addEventListener('abort', late);
      watcher.on('change', () => isOwned() && resolve());
      if (isOwned()) resolve();
    });
  } finally {
    watcher.close();
  }
}

/** Name of the session's container, which is started by a resume where there is none. */
async function running(bed: Bed): Promise<string> {
  const [live] = await bed.instances();
  if (live !== undefined) return live;
  const { status, stderr } = await bed.coi([
    ...['shell', '--background', '--image', bed.image, '--resume'],
  ]);
  assert.equal(status, 0, stderr);
  const [name = ''] = await bed.instances();
  return name;
}

async function statusOf(bed: Bed, name: string): Promise<string | undefined> {
  return (await bed.incus.instance(name))?.instance.status;
}

async function nothingLeft(bed: Bed): Promise<void> {
  assert.match((await bed.coi(['list'])).stdout, /\(none\)/);
  await untilUnmounted(bed.coid.runDir, startMs);
  assert.equal((await bed.coid.status())?.leases, 0);
}
