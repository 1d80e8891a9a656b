// Shows alerts of the monitor and the time limit to users who are attached to a session: a paused container cannot.
import { type SubscriptionEvent, subscribeEvents } from '../../incus/subscribe.ts';
import { keys } from '../../instance-keys.ts';
import { alertMessage, parseAlert } from '../../monitor/alert.ts';
import type { AppContext } from '../context.ts';

/** Listens until disposed. Errors are ignored: losing a notice must not end the session. */
export function showAlerts(
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
  /** When it happened; undefined if not recorded. */
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
  for await (const followed of subscribeEvents(incus, ['lifecycle'], { signal })) {
    if (!isRelevant(followed, container)) continue;
    // Incus may not answer right now; the next event or connection triggers the next check.
    const now = await currentNotices(app, container, signal).catch(() => undefined);
    if (!now) continue;
    // The first check ignores notices that are older than this listener.
    const isNew = ({ message, atMs }: Notice) =>
      known ? !known.includes(message) : atMs !== undefined && atMs >= sinceMs;
    for (const { message } of now.filter(isNew)) show(message);
    known = now.map(({ message }) => message);
  }
}

/** Also after a connection, because earlier events were missed. */
function isRelevant(followed: SubscriptionEvent, container: string): boolean {
  if (followed.kind !== 'event') return followed.kind === 'connected';
  const { event } = followed;
  if (event.type !== 'lifecycle' || event.metadata.action !== 'instance-updated') return false;
  return event.instance === container;
}

async function currentNotices(
  app: AppContext,
  container: string,
  signal: AbortSignal,
): Promise<Notice[]> {
  const found = await (await app.incus()).instance(container, { signal });
  const { [keys.alert]: alertText, [keys.timeOver]: timeOver } = found?.instance.config ?? {};
  const alert = parseAlert(alertText);
  const ofAlert = alert && alertMessage(container, alert);
  const over = `*** Container ${container} has reached its time limit ([limits.runtime] max_duration) ***`;
  return [
    ...(ofAlert ? [{ message: ofAlert, atMs: Date.parse(alert.time) }] : []),
    ...(timeOver ? [{ message: over, atMs: undefined }] : []),
  ];
}
