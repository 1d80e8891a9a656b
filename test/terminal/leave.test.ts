// How a person's terminal is left, for an ordinary user and for root: through the built program, on the real Incus.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeBed, type Who } from '../bed/bed.ts';

const timeout = 60_000;
const people: readonly Who[] = ['ordinary', 'uid-1000', 'root'];

for (const who of people) {
  test(`${who}: the agent's screen appears, typing reaches it, detaching leaves it running`, {
    timeout,
  }, async () => {
    await using bed = await makeBed({ who });
    const screen = bed.screen(['shell', '--image', bed.image]);
    await screen.waitFor('You:');
    screen.type('good morning\r');
    await screen.waitFor(/You: good morning\n/);
    const pressedMs = performance.now();
    screen.key('ctrl-b d');
    const { status, atMs } = await screen.ended();
    assert.equal(status, 0);
    assert.ok(atMs - pressedMs < 1000, `left after ${atMs - pressedMs} ms`);
    assert.match(screen.history(), /\[detached \(from session coi-\S+\)\]/);
    assert.match(screen.history(), /Container kept running - use 'coi attach/);
    const [name = '', ...others] = await bed.instances();
    assert.deepEqual(others, []);
    assert.equal((await bed.incus.instance(name))?.instance.status, 'Running');
  });
}
