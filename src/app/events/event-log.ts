// The user's event log: ~/.coi/events/<host>/, numbered files of JSON lines, each of which begins with a snapshot of all
// sessions. Only the user's watcher (run-watcher.ts) appends to it. The home may be shared by several hosts.
import { hostname } from 'node:os';
import { isLogFile } from '../../attention/events/cursor.ts';
import {
  foldEvents,
  type LoggedEvent,
  parseEvent,
  type SessionState,
} from '../../attention/events/event.ts';
import { type Directory, hostFiles } from '../../host/fs/host-files.ts';
import { openCoiDirectory } from '../../logins/coi-directory.ts';
import type { AppContext } from '../context.ts';

/** Of a file; then the next one begins. */
export const fileMaxBytes = 2 ** 20;
export const filesMax = 4;
/** More than a file can have: its first line, all sessions, may be long. */
const readMaxBytes = 32 * fileMaxBytes;

export function eventsPath(app: Pick<AppContext, 'user'>): string {
  const host = hostname()
    .replace(/[^A-Za-z0-9_-]/g, '-')
    .slice(0, 64);
  return `${app.user.home}/.coi/events/${host === '' ? 'host' : host}`;
}

/** Undefined if there is no log yet. Throws FileError. */
export function openEventLog(app: AppContext): Directory | undefined {
  return hostFiles.open(eventsPath(app));
}

/** Opens its directory and creates it if it is missing. Throws FileError. */
export function makeEventLog(app: AppContext): Directory {
  const { home, uid, gid } = app.user;
  const existing = openEventLog(app);
  if (existing) return existing;
  using top = openCoiDirectory(home, { uid, gid }, hostFiles);
  const made = top?.makeDirectory(eventsPath(app).slice(`${home}/.coi/`.length));
  if (!made) throw new Error(`the home directory ${home} does not exist`);
  return made;
}

/** Runs `effect`; undefined after an error of the disk, for what is useful but not worth an error. */
export function tolerant<T>(effect: () => T): T | undefined {
  try {
    return effect();
  } catch (error) {
    if (hostFiles.asFileError(error)) return undefined;
    throw error;
  }
}

/** Names of the log's files, oldest first. */
export function logFiles(directory: Directory): string[] {
  return [...directory.entries()]
    .filter(({ name, kind }) => kind === 'file' && isLogFile(name))
    .map(({ name }) => name)
    .sort();
}

export interface LogPart {
  readonly events: readonly { readonly event: LoggedEvent; readonly end: number }[];
  /** The offset after the last complete line. */
  readonly end: number;
}

/** The complete lines of a file from an offset on. Lines that are no events are left out. */
export function readLog(directory: Directory, file: string, from: number): LogPart {
  const bytes = directory.readTail(file, { maxBytes: readMaxBytes, from }) ?? Buffer.alloc(0);
  const events: { event: LoggedEvent; end: number }[] = [];
  let end = from;
  for (let at = 0; ; ) {
    const newline = bytes.indexOf(0x0a, at);
    if (newline === -1) return { events, end };
    const event = parseEvent(bytes.toString('utf8', at, newline));
    at = newline + 1;
    end = from + at;
    if (event) events.push({ event, end });
  }
}

/** The newest file, and the sessions after its last event. Throws FileError. */
export function currentState(directory: Directory):
  | {
      readonly file: string;
      readonly end: number;
      readonly states: Map<string, SessionState>;
    }
  | undefined {
  const file = logFiles(directory).at(-1);
  if (file === undefined) return undefined;
  const { events, end } = readLog(directory, file, 0);
  const logged = events.map(({ event }) => event);
  return { file, end, states: foldEvents(new Map(), logged) };
}
