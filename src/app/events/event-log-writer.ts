// Appends to the user's event log.
import { randomBytes } from 'node:crypto';
import { nextLogFile } from '../../attention/events/cursor.ts';
import {
  foldEvents,
  type SessionEvent,
  type SessionState,
  type Snapshot,
} from '../../attention/events/event.ts';
import { type Directory, FileError } from '../../host/fs/host-files.ts';
import { currentState, fileMaxBytes, filesMax, logFiles } from './event-log.ts';

export class EventLogWriter {
  readonly #open: () => Directory;
  #file: string | undefined;
  #states: ReadonlyMap<string, SessionState>;
  /** The last line may be incomplete. */
  #isCut = true;

  /** `open`: opens the directory, which the user may delete at any time. Continues after the last event. Throws FileError. */
  constructor(open: () => Directory) {
    this.#open = open;
    using directory = open();
    const { file, states } = currentState(directory) ?? { file: undefined, states: new Map() };
    this.#file = file;
    this.#states = states;
  }

  /** By instance. */
  get states(): ReadonlyMap<string, SessionState> {
    return this.#states;
  }

  /** Throws FileError, for example if the disk is full; then the events may be missing, and may be appended again. */
  append(events: readonly SessionEvent[], at: string): void {
    if (events.length === 0) return;
    using directory = this.#open();
    if (this.#file === undefined || !directory.entry(this.#file)) this.#begin(directory, at);
    const states = foldEvents(this.#states, events);
    const size = this.#write(
      directory,
      events.map((event) => `${JSON.stringify(event)}\n`).join(''),
    );
    this.#states = states;
    if (size > fileMaxBytes) this.#begin(directory, at);
  }

  #begin(directory: Directory, at: string): void {
    const files = logFiles(directory);
    this.#file = nextLogFile(files.at(-1) ?? this.#file, randomBytes(4).toString('hex'));
    const sessions = [...this.#states.values()];
    const snapshot: Snapshot = { v: 1, type: 'snapshot', at, sessions };
    this.#isCut = false;
    this.#write(directory, `${JSON.stringify(snapshot)}\n`);
    for (const old of files.slice(0, -(filesMax - 1))) remove(directory, old);
  }

  #write(directory: Directory, text: string): number {
    const lines = this.#isCut ? `\n${text}` : text;
    this.#isCut = true;
    const size = directory.append(this.#file ?? '', lines);
    this.#isCut = false;
    return size;
  }
}

function remove(directory: Directory, name: string): void {
  try {
    directory.unlink(name);
  } catch (error) {
    // The user may have removed it.
    if (!(error instanceof FileError)) throw error;
  }
}
