// Tells whoever is attached to a session what its monitor did, and that its time is over: the container itself may stand
// still and say nothing.
import type { App } from '../app.ts';
import { alertKeyName, alertMessage, parseAlert } from '../monitor/alert.ts';
import { timeOverKey } from '../session/limits.ts';
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
  let told = await noticesOf(app, container, signal);
  const events = incus.events(['lifecycle'], { signal });
  try {
    for await (const event of events) {
      if (event.type !== 'lifecycle' || event.metadata.action !== 'instance-updated') continue;
      if (event.metadata.source.split('?')[0] !== `/1.0/instances/${container}`) continue;
      const now = await noticesOf(app, container, signal);
      for (const message of now.filter((one) => !told.includes(one))) {
        // The terminal is in raw mode and belongs to the guest's screen: a line of our own, with a bell.
        app.io.stderr.write(`\r\n\u0007${printable(message)}\r\n`);
      }
      told = now;
    }
  } finally {
    events.close();
  }
}

async function noticesOf(app: App, container: string, signal: AbortSignal): Promise<string[]> {
  const found = await (await app.incus()).instance(container, { signal });
  const { [alertKeyName]: alertText, [timeOverKey]: timeOver } = found?.instance.config ?? {};
  const alert = parseAlert(alertText);
  const ofAlert = alert && alertMessage(container, alert);
  return [
    ...(ofAlert ? [ofAlert] : []),
    ...(timeOver
      ? [`*** Container ${container}: its time is over ([limits.runtime] max_duration) ***`]
      : []),
  ];
}
