// coi or coid is killed at every call that it makes to Incus while a session ends: no conversation is lost, and
// the next command finds either a running session or none.
import assert from 'node:assert/strict';
import { statSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { openRelay } from '../bed/incus-relay.ts';
import { untilUnmounted } from '../bed/mounts.ts';
import { untilGone } from '../bed/until.ts';
import {
  conversationText,
  detach,
  leaveAgent,
  metadataOf,
  runInside,
  sendMessage,
  sessionId,
  startConversation,
  startMs,
  untilLive,
} from '../lifecycle/conversation.ts';
import { calls, killAtCall, moments } from './kill-at-call.ts';

const timeout = 240_000;
/** Longer than coi waits for coid at the end. */
const endMs = 30_000;

for (const { verb, kept, struck: those } of [
  { verb: 'kill', kept: false, struck: moments },
  // Each shutdown takes time, and before a call the result is the same as with a kill.
  { verb: 'shutdown', kept: true, struck: ['answered'] },
] as const)
  test(`a ${verb} that is killed at any call leaves a running session or none, and can be repeated`, {
    timeout,
  }, async () => {
    await using bed = await makeBed();
    const first = await startConversation(bed, kept ? ['--persistent'] : []);
    const id = sessionId(first);
    await sendMessage(first, 'kept words');
    await detach(first);
    for (const moment of those)
      for (let nth = 1, struck = true; struck; nth += 1) {
        const name = await runningSession(bed);
        // Only at changing calls: queries in between leave nothing half done.
        const one = [verb, name];
        const { status, at, delivered } = await killAtCall(bed, one, nth, moment, calls.answered);
        const where = `${moment} ${at}`;
        struck = at !== undefined;
        assert.equal(status, struck ? 137 : 0, where);
        if (delivered.some((call) => call.endsWith('/state'))) {
          const again = await bed.coi([verb, name]);
          assert.ok(again.status === 0 || /not found/.test(again.stderr), again.stderr);
          await untilGone(bed.incus, name, endMs);
        } else assert.equal(await statusOf(bed, name), 'Running', where);
        assert.match(conversationText(bed, id), /kept words/, where);
        assert.equal(metadataOf(bed, id)['session_id'], id, where);
      }
    await nothingLeft(bed);
    const again = await startConversation(bed, [`--resume=${id}`]);
    assert.match(again.text(), /> kept words/);
  });

test('a coi shell that is killed at any call after a poweroff leaves the session to coid, which ends it', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await using stack = new AsyncDisposableStack();
  // One session per call, in parallel, each in its own slot; on a busy machine coi queries more often.
  const ends = await Promise.all(
    [1, 2, 3, 4, 5, 6, 7, Number.POSITIVE_INFINITY].map(async (nth, index) => {
      const relay = stack.use(await openRelay());
      const screen = await startConversation(bed, ['--slot', String(index + 1)], {
        env: { INCUS_SOCKET: relay.socketPath },
      });
      await sendMessage(screen, `words of ${nth}`);
      await leaveAgent(screen);
      screen.type("echo o''ff; sudo poweroff\r");
      // The shell has started: later steps need no attached user. The echo of the line alone does not prove that.
      await screen.waitFor(/^off$/m);
      const strike = relay.strikeAt(nth, 'before', calls.before, () => screen.kill('SIGKILL'));
      await screen.ended(endMs);
      return { id: sessionId(screen), at: strike.at, words: `words of ${nth}` };
    }),
  );
  assert.ok(ends.some(({ at }) => at !== undefined));
  await Promise.all((await bed.instances()).map((name) => untilGone(bed.incus, name, endMs)));
  for (const { id, at, words } of ends) {
    assert.ok(conversationText(bed, id).includes(words), at);
    assert.equal(metadataOf(bed, id)['session_id'], id, at);
  }
  await nothingLeft(bed);
  const { id, words } = ends[0] ?? { id: '', words: '' };
  const again = await startConversation(bed, [`--resume=${id}`]);
  assert.match(again.text(), new RegExp(`> ${words}`));
});

test('a coid that is killed before or after deleting a container leaves the rest to the next one', {
  timeout,
}, async () => {
  await using relay = await openRelay();
  await using bed = await makeBed({ coidEnv: { INCUS_SOCKET: relay.socketPath } });
  for (const moment of moments) {
    const started = await bed.coi(['shell', '--background', '--image', bed.image]);
    assert.equal(started.status, 0, started.stderr);
    const [name = ''] = await bed.instances();
    // A container that was never seen alive counts as a failed start, which takes minutes to expire.
    await untilLive(bed, name);
    const tool = `tool-${moment}`;
    const make = `cp /bin/true ${tool} && chmod u+s ${tool} && stat -c %u ${tool}`;
    assert.equal(await runInside(bed, name, 'sh', '-c', `cd /workspace && ${make}`), '0\n');
    const daemon = await bed.coid.status();
    assert.ok(daemon);
    const dead = new Promise<void>((resolve) => {
      relay.strikeAt(1, moment, /^DELETE \/1\.0\/instances\//, () => {
        process.kill(daemon.pid, 'SIGKILL');
        resolve();
      });
    });
    // Its result does not matter: its container is being removed.
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

/** Resolves when the file belongs to that user; rejects on timeout. */
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

/** Name of the session's container; resumes the session if there is none. */
async function runningSession(bed: Bed): Promise<string> {
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
