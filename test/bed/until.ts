// Waits for a deleted instance or a written file.
import { readFileSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import type { Incus } from '../../src/incus/client.ts';

/** Resolves when the instance no longer exists; rejects on timeout. */
export async function untilGone(incus: Incus, name: string, limitMs = 5_000): Promise<void> {
  const limit = AbortSignal.timeout(limitMs);
  const events = incus.events(['lifecycle'], { signal: limit });
  try {
    await events.ready;
    // The lookup covers earlier changes, the subscription later ones.
    if ((await incus.instance(name)) === undefined) return;
    for await (const event of events) {
      if (event.type !== 'lifecycle' || event.metadata.action !== 'instance-deleted') continue;
      if (event.metadata.source === `/1.0/instances/${name}`) return;
    }
    throw new Error(`the events ended while ${name} existed`);
  } catch (cause) {
    if (!limit.aborted) throw cause;
    const status = (await incus.instance(name))?.instance.status;
    throw new Error(`${name} still exists after ${limitMs} ms: ${status}`, { cause });
  } finally {
    events.close();
  }
}

/** Resolves with a file's text once it contains a whole line; rejects after 20 s. */
export function untilWritten(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const watcher = watch(dirname(path));
    const limit = setTimeout(() => {
      watcher.close();
      reject(new Error(`${path} was not written`));
    }, 20_000);
    const look = () => {
      let text = '';
      try {
        text = readFileSync(path, 'utf8');
      } catch {
        return;
      }
      if (!text.endsWith('\n')) return;
      clearTimeout(limit);
      watcher.close();
      resolve(text);
    };
    watcher.on('change', look);
    look();
  });
}
