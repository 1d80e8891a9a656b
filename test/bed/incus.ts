// The client that tests look with: the real daemon, as root.
import type { Incus } from '../../src/incus/client.ts';
import { incusSocketPath, openIncus } from '../../src/incus/open.ts';

/** Opens the real Incus. A machine without one fails the suite, it does not skip it. Close it at the end. */
export async function openRealIncus(): Promise<Incus> {
  const incus = openIncus({ socketPath: incusSocketPath(process.env) });
  try {
    await incus.server();
  } catch (cause) {
    incus.close();
    throw new Error('these tests need a running Incus: `sudo ./coi setup --yes` brings one up', {
      cause,
    });
  }
  return incus;
}

/** Until Incus tells of a change of the instance, or a second is over. */
async function nextEvent(incus: Incus, name: string): Promise<void> {
  const events = incus.events(['lifecycle'], { signal: AbortSignal.timeout(1000) });
  try {
    for await (const event of events) {
      if (event.type === 'lifecycle' && event.metadata.source === `/1.0/instances/${name}`) return;
    }
  } catch {
    // The second is over.
  } finally {
    events.close();
  }
}

/** Somebody else (coid, a guest that powers off) may be in the middle of something with the same instance. */
const removalAttempts = 4;

/** As `incus stop --force`. */
export async function stopByForce(incus: Incus, name: string): Promise<void> {
  await (await incus.changeState(name, { action: 'stop', force: true })).wait();
}

/** Stops an instance by force if it runs, and deletes it. One that is gone already is fine. */
export async function removeInstance(incus: Incus, name: string): Promise<void> {
  let failure: unknown;
  for (let attempt = 0; attempt < removalAttempts; attempt += 1) {
    const found = await incus.instance(name);
    if (found === undefined) return;
    try {
      if (found.instance.status !== 'Stopped') await stopByForce(incus, name);
      await (await incus.deleteInstance(name)).wait();
    } catch (error) {
      // An ephemeral one deletes itself when it stops; anything else shows in the next look.
      failure = error;
      await nextEvent(incus, name);
    }
  }
  const left = await incus.instance(name);
  if (left !== undefined) {
    throw new Error(`${name} cannot be deleted: it is ${left.instance.status}`, { cause: failure });
  }
}
