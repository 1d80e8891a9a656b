// Waits until Incus has deleted an instance, told by its events.
import type { Incus } from '../../src/incus/client.ts';

/** Resolves when there is no instance of that name; rejects when the limit is over. */
export async function untilGone(incus: Incus, name: string, limitMs = 5_000): Promise<void> {
  const limit = AbortSignal.timeout(limitMs);
  const events = incus.events(['lifecycle'], { signal: limit });
  try {
    await events.ready;
    // What happened before the subscription is seen by looking, what happens after it by listening.
    if ((await incus.instance(name)) === undefined) return;
    for await (const event of events) {
      if (event.type !== 'lifecycle' || event.metadata.action !== 'instance-deleted') continue;
      if (event.metadata.source === `/1.0/instances/${name}`) return;
    }
    throw new Error(`the events ended while ${name} was there`);
  } catch (cause) {
    if (!limit.aborted) throw cause;
    const status = (await incus.instance(name))?.instance.status;
    throw new Error(`${name} is still there after ${limitMs} ms: ${status}`, { cause });
  } finally {
    events.close();
  }
}
