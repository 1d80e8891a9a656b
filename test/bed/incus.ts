// The client that tests use to inspect the real daemon, as root.
import type { Incus } from '../../src/incus/client.ts';
import { incusSocketPath, openIncus } from '../../src/incus/open.ts';

/** Opens the real Incus. Without one the suite fails, it is not skipped. Close it at the end. */
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

/** Waits until Incus reports a change of the instance, or for one second. */
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

/** The instance may be busy with another operation (coid, a guest that powers off). */
const removalAttempts = 4;

/** Like `incus stop --force`. */
export async function stopByForce(incus: Incus, name: string): Promise<void> {
  await (await incus.changeState(name, { action: 'stop', force: true })).wait();
}

/** Stops an instance by force if it runs, and deletes it. Ignores a missing one. */
export async function removeInstance(incus: Incus, name: string): Promise<void> {
  let failure: unknown;
  for (let attempt = 0; attempt < removalAttempts; attempt += 1) {
    const found = await incus.instance(name);
    if (found === undefined) return;
    try {
      if (found.instance.status !== 'Stopped') await stopByForce(incus, name);
      await (await incus.deleteInstance(name)).wait();
    } catch (error) {
      // An ephemeral one is deleted when it stops; any other failure shows in the next check.
      failure = error;
      await nextEvent(incus, name);
    }
  }
  const left = await incus.instance(name);
  if (left !== undefined) {
    throw new Error(`${name} cannot be deleted: it is ${left.instance.status}`, { cause: failure });
  }
}
