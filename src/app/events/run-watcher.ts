// The watcher of a user's sessions: writes what they do to the event log and tells the user. coid starts it as the user, and
// it ends with coid.
import { createInterface } from 'node:readline';
import type { SessionEvent } from '../../attention/events/event.ts';
import { parseWatchInput } from '../../coid-api/watch-protocol.ts';
import { CoiError } from '../../errors.ts';
import { loadLibc } from '../../host/linux/load-libc.ts';
import { takeLock } from '../../host/process/process-lock.ts';
import type { AppContext } from '../context.ts';
import { deliver } from '../notices/deliver.ts';
import { Failures } from '../notices/failures.ts';
import { Teller } from '../notices/teller.ts';
import { eventsPath, makeEventLog } from './event-log.ts';
import { EventLogWriter } from './event-log-writer.ts';
import { SessionWatcher } from './session-watcher.ts';
import { forgetSeen, sweepViews, viewedContainers } from './viewers.ts';

/** Returns at the end of the input. Throws `failed` if another watcher runs, and FileError if the log cannot be used. */
export async function runWatcher(app: AppContext, input: NodeJS.ReadableStream): Promise<void> {
  makeEventLog(app)[Symbol.dispose]();
  const lock = takeLock(await loadLibc(), `${eventsPath(app)}/lock`);
  if (lock.kind === 'held')
    throw new CoiError('failed', `another watcher runs (process ${lock.pid})`);
  sweepViews(app);
  const failures = new Failures(app);
  const onError = (error: unknown) => failures.note('watcher', error);
  using teller = new Teller({
    app,
    isSeen: (container) => viewedContainers(app).has(container),
    tell: (settings, text, of) => {
      const at = app.clock.now().toISOString();
      deliver(app, settings, { text, of, at }).then((results) => {
        for (const { sink, reason } of results)
          if (reason === undefined) failures.clear(sink);
          else failures.note(sink, reason);
      }, onError);
    },
    onError,
  });
  const onEvents = (events: readonly SessionEvent[]) => {
    teller.add(events);
    for (const { type, session_id: session } of events)
      if (type === 'ended') forgetSeen(app, session);
  };
  using watcher = new SessionWatcher({
    app,
    log: new EventLogWriter(() => makeEventLog(app)),
    onEvents,
    onError,
  });
  for await (const line of createInterface({ input })) watcher.update(parseWatchInput(line));
}
