// coi fails or is killed at every step of a start: nothing is orphaned or lost.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { launchSteps } from '../../src/session/lifecycle/launch.ts';
import { restartSteps } from '../../src/session/lifecycle/restart.ts';
import { type Bed, makeBed } from '../bed/bed.ts';
import { stopByForce } from '../bed/incus.ts';
import { untilUnmounted } from '../bed/mounts.ts';
import { untilGone } from '../bed/until.ts';
import {
  conversationText,
  powerOff,
  sendMessage,
  sessionId,
  startConversation,
} from '../lifecycle/conversation.ts';

const timeout = 120_000;
/** Long enough for a start on a busy machine, short enough to wait for at each step. */
const leaseMs = 2000;
const background = (bed: Bed) => ['shell', '--image', bed.image, '--background'];
const steps = (list: readonly { readonly name: string }[]) =>
  list.flatMap(({ name }) => [`${name}:before`, `${name}:after`]);

test('a start that fails at any step leaves no container, mount, reservation or store', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  for (const at of steps(launchSteps)) {
    const { status, stderr } = await bed.coi(background(bed), {
      env: { COI_TEST_FAULT: `${at}:fail` },
    });
    assert.equal(status, 1, at);
    assert.match(stderr, /COI_TEST_FAULT/, at);
    assert.deepEqual(await bed.instances(), [], at);
    await untilUnmounted(bed.coid.runDir);
    assert.equal((await bed.coid.status())?.leases, 0, at);
    assert.deepEqual(await stores(bed), [], at);
  }
});

test('a start that is killed at any step is either managed as usual or undone by coid', {
  timeout,
}, async () => {
  await using bed = await makeBed({ coidEnv: { COI_LEASE_MS: String(leaseMs) } });
  for (const at of steps(launchSteps)) {
    const { status } = await bed.coi(background(bed), { env: { COI_TEST_FAULT: `${at}:kill` } });
    assert.notEqual(status, 0, at);
    const [name] = await bed.instances();
    if (name === undefined) {
      await untilUnmounted(bed.coid.runDir);
      continue;
    }
    // The container was created: it is listed, its conversation is stored, and it can be ended.
    assert.match((await bed.coi(['list'])).stdout, new RegExp(name), at);
    assert.equal((await bed.coi(['kill', name])).status, 0, at);
    await untilGone(bed.incus, name);
    await untilUnmounted(bed.coid.runDir);
  }
  const again = await bed.coi(background(bed));
  assert.equal(again.status, 0, again.stderr);
  const cleaned = await bed.coi(['clean', '--sessions', '--dry-run']);
  assert.equal(cleaned.status, 0, 'an incomplete store is reported, not fatal');
});

test('a resume that is killed at any step, or fails at the last, keeps the conversation for the next one', {
  timeout,
}, async () => {
  await using bed = await makeBed({ coidEnv: { COI_LEASE_MS: String(leaseMs) } });
  const first = await startConversation(bed);
  const id = sessionId(first);
  await sendMessage(first, 'kept words');
  await powerOff(first);
  const faults = [...steps(launchSteps).map((at) => `${at}:kill`), 'create:after:fail'];
  for (const fault of faults) {
    const env = { COI_TEST_FAULT: fault };
    const { status } = await bed.coi([...background(bed), '--resume'], { env });
    assert.notEqual(status, 0, fault);
    assert.match(conversationText(bed, id), /kept words/, fault);
    assert.deepEqual(await stores(bed), [id], fault);
    for (const name of await bed.instances()) {
      assert.equal((await bed.coi(['kill', name])).status, 0, fault);
      await untilGone(bed.incus, name);
    }
  }
  const again = await startConversation(bed, ['--resume']);
  assert.match(again.text(), /> kept words/);
});

test('a persistent container survives a restart that fails or is killed at any step', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  assert.equal((await bed.coi([...background(bed), '--persistent'])).status, 0);
  const [name = ''] = await bed.instances();
  await bed.incus.writeFile(name, '/etc/mark', Buffer.from('mine'));
  for (const how of ['fail', 'kill'] as const) {
    for (const at of steps(restartSteps)) {
      await stop(bed, name);
      const { status } = await bed.coi([...background(bed), '--persistent', '--resume'], {
        env: { COI_TEST_FAULT: `${at}:${how}` },
      });
      assert.notEqual(status, 0, at);
      assert.deepEqual(await bed.instances(), [name], at);
    }
  }
  await stop(bed, name);
  const { status, stderr } = await bed.coi([...background(bed), '--persistent', '--resume']);
  assert.equal(status, 0, stderr);
  const mark = await bed.incus.execCaptured(name, { command: ['cat', '/etc/mark'] });
  assert.equal(mark.stdout.toString(), 'mine');
});

async function stop(bed: Bed, name: string): Promise<void> {
  const found = await bed.incus.instance(name);
  if (found?.instance.status !== 'Running') return;
  await stopByForce(bed.incus, name);
}

/** Names of session directories in the user's store. */
async function stores(bed: Bed): Promise<string[]> {
  return readdir(`${bed.user.home}/.coi/sessions-claude`).catch(() => []);
}
