// A fake Incus and a client for it, closed after the test.
import type { Incus } from '../../../src/incus/client.ts';
import { openIncus } from '../../../src/incus/open.ts';
import { type FakeIncus, startFakeIncus } from './server.ts';

export async function openFakeIncus(t: {
  after(work: () => Promise<void>): void;
}): Promise<{ readonly fake: FakeIncus; readonly incus: Incus }> {
  const fake = await startFakeIncus();
  const incus = openIncus({ socketPath: fake.socketPath });
  t.after(async () => {
    incus.close();
    await fake.close();
  });
  return { fake, incus };
}
