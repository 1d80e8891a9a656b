// Tells whoever is attached to a session what its monitor did, and that its time is over: the container itself may stand
// still and say nothing.
import type { App } from '../app.ts';
import { type Followed, followEvents } from '../incus/follow.ts';
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

interface Notice {
  readonly message: string;
  /** When it became true; undefined where nobody wrote that down. */
  readonly atMs: number | undefined;
}

async function listen(app: App, container: string, signal: AbortSignal): Promise<void> {
  const sinceMs = app.clock.now().getTime();
  const incus = await app.incus();
  let known: readonly string[] | undefined;
  for await (const followed of followEvents(incus, ['lifecycle'], { signal })) {
    if (!isNews(followed, container)) continue;
    // Incus may not answer just now; the next event or connection brings the next look.
    const now = await noticesOf(app, container, signal).catch(() => undefined);
    if (!now) continue;
    // At the first look, what is older than the listening is no news.
    const isNew = ({ message, atMs }: Notice) =>
      known ? !known.includes(message) : atMs !== undefined && atMs >= sinceMs;
    for (const { message } of now.filter(isNew)) {
      // The terminal is in raw mode and belongs to the guest's screen: a line of our own, with a bell.
      app.io.stderr.write(`\r\n\u0007${printable(message)}\r\n`);
    }
    known = now.map(({ message }) => message);
  }
}

/** After a connection, too: what happened before it was heard by nobody. */
function isNews(followed: Followed, container: string): boolean {
  if (followed.kind !== 'event') return followed.kind === 'connected';
  const { event } = followed;
  if (event.type !== 'lifecycle' || event.metadata.action !== 'instance-updated') return false;
  return event.metadata.source.split('?')[0] === `/1.0/instances/${container}`;
}

async function noticesOf(app: App, container: string, signal: AbortSignal): Promise<Notice[]> {
  const found = await (await app.incus()).instance(container, { signal });
  const { [alertKeyName]: alertText, [timeOverKey]: timeOver } = found?.instance.config ?? {};
  const alert = parseAlert(alertText);
  const ofAlert = alert && alertMessage(container, alert);
  const over = `*** Container ${container}: its time is over ([limits.runtime] max_duration) ***`;
  return [
    ...(ofAlert ? [{ message: ofAlert, atMs: Date.parse(alert.time) }] : []),
    ...(timeOver ? [{ message: over, atMs: undefined }] : []),
  ];
}
