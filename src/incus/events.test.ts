// Event subscriptions: nothing is lost without an error.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openFakeIncus } from '../../test/fakes/incus/open.ts';
import { IncusError } from './client.ts';
import { openIncus } from './open.ts';
import { subscribeEvents } from './subscribe.ts';

const lost = (errno: string) => (error: unknown) =>
  error instanceof IncusError && error.errno === errno;

describe('a subscription', () => {
  it('a subscription delivers events from before a connection loss, then fails', async (t) => {
    const { fake, incus } = await openFakeIncus(t);
    const events = incus.events(['lifecycle']);
    await events.ready;
    fake.state.emit('instance-started', 'instances/a');
    const iterator = events[Symbol.asyncIterator]();
    assert.equal((await iterator.next()).done, false);
    fake.cutAll();
    await assert.rejects(iterator.next(), lost('ECONNRESET'));
  });

  it('a subscription fails a reader that is more than 4096 events behind and never skips one', async (t) => {
    const { fake, incus } = await openFakeIncus(t);
    const events = incus.events(['lifecycle']);
    await events.ready;
    for (let index = 0; index < 5000; index += 1)
      fake.state.emit('instance-updated', `instances/${index}`);
    await fake.eventsDelivered();
    const seen: string[] = [];
    await assert.rejects(async () => {
      for await (const event of events)
        seen.push(event.type === 'lifecycle' ? event.metadata.source : '');
    }, lost('EOVERFLOW'));
    assert.deepEqual(seen.slice(0, 2), ['/1.0/instances/0', '/1.0/instances/1']);
    assert.equal(new Set(seen).size, seen.length);
  });

  it('a subscription ends without an error when closed, and with the reason when aborted', async (t) => {
    const { incus } = await openFakeIncus(t);
    const closed = incus.events(['lifecycle']);
    await closed.ready;
    closed.close();
    for await (const _ of closed) assert.fail('no event was sent');
    const controller = new AbortController();
    const aborted = incus.events(['lifecycle'], { signal: controller.signal });
    await aborted.ready;
    const reason = new Error('enough');
    controller.abort(reason);
    await assert.rejects(aborted[Symbol.asyncIterator]().next(), reason);
  });

  it('a subscription is not ready without a daemon', async () => {
    const events = openIncus({ socketPath: '/nonexistent/socket' }).events(['lifecycle']);
    await assert.rejects(events.ready, lost('ENOENT'));
  });
});

describe('following', () => {
  it('following events resubscribes after each loss, reports it, and waits longer after each failure', async (t) => {
    const { fake, incus } = await openFakeIncus(t);
    const controller = new AbortController();
    const waits: number[] = [];
    fake.faults.inject({
      path: /events/,
      nth: 2,
      fault: { kind: 'fail', status: 500, message: '' },
    });
    fake.faults.inject({
      path: /events/,
      nth: 3,
      fault: { kind: 'fail', status: 500, message: '' },
    });
    const seen: string[] = [];
    const wait = async (ms: number) => void waits.push(ms);
    for await (const followed of subscribeEvents(incus, ['lifecycle'], {
      signal: controller.signal,
      wait,
    })) {
      seen.push(followed.kind);
      if (followed.kind === 'connected') fake.state.emit('instance-started', 'instances/a');
      if (followed.kind === 'event' && seen.length < 6) fake.cutAll();
      else if (followed.kind === 'event') controller.abort();
    }
    assert.deepEqual(seen, ['connected', 'event', 'lost', 'lost', 'lost', 'connected', 'event']);
    assert.deepEqual(waits, [100, 200, 400]);
  });
});
