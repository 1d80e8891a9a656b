// Follows the user's event log, from a cursor or from now on.
import { setTimeout as delay } from 'node:timers/promises';
import { type Cursor, cursorOf } from '../../attention/events/cursor.ts';
import type { LoggedEvent } from '../../attention/events/event.ts';
import type { Directory } from '../../host/fs/host-files.ts';
import { DirectoryWatch } from '../../host/fs/meta/directory-watch.ts';
import type { AppContext } from '../context.ts';
import { currentState, logFiles, openEventLog, readLog } from './event-log.ts';

export interface FollowedEvent {
  readonly event: LoggedEvent;
  /** Continues after this event. */
  readonly cursor: string;
}

/** Where files cannot be watched, and for a log that does not exist yet. */
const pollMs = 1000;

/**
 * Begins with a snapshot, unless the log still has everything since the cursor. Ends with the signal, whose reason is
 * thrown. Throws FileError if the log cannot be read.
 */
export async function* followEvents(
  app: AppContext,
  since: Cursor | undefined,
  signal: AbortSignal,
): AsyncGenerator<FollowedEvent, never> {
  let at = since && knows(app, since) ? since : undefined;
  if (!at) {
    const first = present(app);
    at = first.at;
    yield first.followed;
  }
  for (;;) {
    signal.throwIfAborted();
    using directory = openEventLog(app);
    // Watched before it is read, so that no event is missed.
    const changed = new AbortController();
    using _ = directory && new DirectoryWatch([directory], () => changed.abort());
    if (directory) {
      const read = readFrom(directory, at);
      for (const { event, end } of read.events) {
        at = end;
        yield { event, cursor: cursorOf(end) };
      }
      at = read.end;
    }
    const early = AbortSignal.any([signal, changed.signal]);
    await delay(pollMs, undefined, { signal: early }).catch(() => undefined);
  }
}

interface ReadEvents {
  readonly events: readonly { readonly event: LoggedEvent; readonly end: Cursor }[];
  readonly end: Cursor;
}

/** A snapshot at the beginning of a file repeats what the files before it say. */
function readFrom(directory: Directory, { file, offset }: Cursor): ReadEvents {
  // Listed first: nothing is appended to a file after the next one exists.
  const files = logFiles(directory);
  const isThere = files.includes(file);
  // A log that was deleted begins anew.
  const later = isThere ? files.filter((name) => name > file) : files;
  const events: { event: LoggedEvent; end: Cursor }[] = [];
  let end: Cursor = { file, offset };
  for (const name of [...(isThere ? [file] : []), ...later]) {
    const part = readLog(directory, name, name === file ? offset : 0);
    const isNext = name !== file && (isThere || name !== later[0]);
    for (const [index, { event, end: to }] of part.events.entries())
      if (!isNext || index > 0 || event.type !== 'snapshot')
        events.push({ event, end: { file: name, offset: to } });
    end = { file: name, offset: part.end };
  }
  return { events, end };
}

function knows(app: AppContext, { file, offset }: Cursor): boolean {
  using directory = openEventLog(app);
  const size = directory?.entry(file)?.stat.size;
  return size !== undefined && offset <= size;
}

function present(app: AppContext): { readonly at: Cursor; readonly followed: FollowedEvent } {
  using directory = openEventLog(app);
  const found = directory && currentState(directory);
  const at = found ? { file: found.file, offset: found.end } : { file: nothing, offset: 0 };
  const sessions = [...(found?.states.values() ?? [])];
  const event = { v: 1, type: 'snapshot', at: app.clock.now().toISOString(), sessions } as const;
  return { at, followed: { event, cursor: cursorOf(at) } };
}

/** Before the first file of a log. */
const nothing = '00000000-00000000';
