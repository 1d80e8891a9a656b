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

/** Stops an instance by force if it runs, and deletes it. One that is gone already is fine. */
export async function removeInstance(incus: Incus, name: string): Promise<void> {
  const found = await incus.instance(name);
  if (found === undefined) return;
  const { status, ephemeral } = found.instance;
  if (status !== 'Stopped') {
    const stop = await incus
      .changeState(name, { action: 'stop', force: true })
      .catch(() => undefined);
    await stop?.wait().catch(() => undefined);
  }
  if (ephemeral && status !== 'Stopped') return;
  const removal = await incus.deleteInstance(name).catch(() => undefined);
  await removal?.wait().catch(() => undefined);
  const left = await incus.instance(name);
  if (left !== undefined && !left.instance.ephemeral)
    throw new Error(`${name} cannot be deleted: it is ${left.instance.status}`);
}
