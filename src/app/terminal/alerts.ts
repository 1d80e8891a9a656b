// Tells whoever is attached to a session what its monitor did, and that its time is over: the container itself may stand
// still and say nothing.
import { type Followed, followEvents } from '../../incus/follow.ts';
import { keys } from '../../instance-keys.ts';
import { alertMessage, parseAlert } from '../../monitor/alert.ts';
import type { AppContext } from '../context.ts';

/** Listens until it is disposed of. A failure costs the notice, never the session. */
export function tellAlerts(
  app: AppContext,
  container: string,
  show: (message: string) => void,
): Disposable {
  const ended = new AbortController();
  const signal = AbortSignal.any([app.signal, ended.signal]);
  listen(app, container, signal, show).catch(() => undefined);
  return { [Symbol.dispose]: () => ended.abort() };
}

interface Notice {
  readonly message: string;
  /** When it became true; undefined where nobody wrote that down. */
  readonly atMs: number | undefined;
}

async function listen(
  app: AppContext,
  container: string,
  signal: AbortSignal,
  show: (message: string) => void,
): Promise<void> {
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
    for (const { message } of now.filter(isNew)) show(message);
    known = now.map(({ message }) => message);
  }
}

/** After a connection, too: what happened before it was heard by nobody. */
function isNews(followed: Followed, container: string): boolean {
  if (followed.kind !== 'event') return followed.kind === 'connected';
  const { event } = followed;
  if (event.type !== 'lifecycle' || event.metadata.action !== 'instance-updated') return false;
  return event.instance === container;
}

async function noticesOf(
  app: AppContext,
  container: string,
  signal: AbortSignal,
): Promise<Notice[]> {
  const found = await (await app.incus()).instance(container, { signal });
  const { [keys.alert]: alertText, [keys.timeOver]: timeOver } = found?.instance.config ?? {};
  const alert = parseAlert(alertText);
  const ofAlert = alert && alertMessage(container, alert);
  const over = `*** Container ${container}: its time is over ([limits.runtime] max_duration) ***`;
  return [
    ...(ofAlert ? [{ message: ofAlert, atMs: Date.parse(alert.time) }] : []),
    ...(timeOver ? [{ message: over, atMs: undefined }] : []),
  ];
}
