// Tells whoever is attached to a session what its monitor did: the container itself may stand still and say nothing.
import type { App } from '../app.ts';
import { alertKeyName, alertMessage, parseAlert } from '../monitor/alert.ts';
import { printable } from '../ui/printable.ts';

/** Listens until it is disposed of. A failure costs the notice, never the session. */
export function tellAlerts(app: App, container: string): Disposable {
  const ended = new AbortController();
  const signal = AbortSignal.any([app.signal, ended.signal]);
  listen(app, container, signal).catch(() => undefined);
  return { [Symbol.dispose]: () => ended.abort() };
}

async function listen(app: App, container: string, signal: AbortSignal): Promise<void> {
  const incus = await app.incus();
  let told = await alertText(app, container, signal);
  const events = incus.events(['lifecycle'], { signal });
  try {
    for await (const event of events) {
      if (event.type !== 'lifecycle' || event.metadata.action !== 'instance-updated') continue;
      if (event.metadata.source.split('?')[0] !== `/1.0/instances/${container}`) continue;
      const now = await alertText(app, container, signal);
      if (now === told) continue;
      told = now;
      const message = alertMessage(container, parseAlert(now) ?? noAlert);
      // The terminal is in raw mode and belongs to the guest's screen: a line of our own, with a bell.
      if (message) app.io.stderr.write(`\r\n\u0007${printable(message)}\r\n`);
    }
  } finally {
    events.close();
  }
}

const noAlert = { level: 'info', title: '', description: '', time: '', action: 'logged' } as const;

async function alertText(
  app: App,
  container: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const found = await (await app.incus()).instance(container, { signal });
  return found?.instance.config[alertKeyName];
}
