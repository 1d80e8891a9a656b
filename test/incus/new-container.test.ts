// A container that Incus is still creating: it shows as stopped, and may be changed only when it is complete.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { updateContainer } from '../../src/session/record/change-instance.ts';
import { refOf } from '../../src/session/record/container-ref.ts';
import { Lifecycle } from '../bed/events.ts';
import { openRealIncus } from '../bed/incus.ts';
import { newPrefix } from '../bed/prefix.ts';
import { sweepInstances } from '../bed/sweep.ts';

/** Timing matters: without the wait about half of them are damaged. */
const rounds = 8;

test('a change to a container that is being created waits until it exists and damages nothing', {
  timeout: 180_000,
}, async () => {
  const incus = await openRealIncus();
  const prefix = newPrefix();
  await using undo = new AsyncDisposableStack();
  undo.defer(async () => incus.close());
  undo.defer(async () => void (await sweepInstances(incus, prefix)));
  using lifecycle = await Lifecycle.open(incus);
  for (let round = 0; round < rounds; round += 1) {
    const name = `${prefix}${round}`;
    const making = await incus.createInstance({
      ...{ name, type: 'container', start: true },
      source: { type: 'image', alias: 'coi-test' },
    });
    await lifecycle.until('instance-created', name);
    const found = await incus.instance(name);
    assert.ok(found);
    await updateContainer(incus, refOf(found.instance), { config: { 'user.x': 'y' } });
    await making.wait();
    assert.equal((await incus.instance(name))?.instance.status, 'Running');
    await (await incus.changeState(name, { action: 'stop', force: true })).wait();
    await (await incus.deleteInstance(name)).wait();
  }
});
