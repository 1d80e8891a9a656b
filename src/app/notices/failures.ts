// Remembers why a notice could not be delivered, for `coi health`: the watcher has no terminal.
import { cleanLine } from '../../attention/clean.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import type { AppContext } from '../context.ts';
import { openEventLog } from '../events/event-log.ts';
import { makeEventsDirectory } from '../events/viewers.ts';

export interface Failure {
  /** ISO 8601. */
  readonly at: string;
  readonly what: string;
  readonly reason: string;
}

const fileName = 'last-failure';
const reasonMax = 300;
const fileMaxBytes = 2000;

export class Failures {
  readonly #app: AppContext;
  #last: string | undefined;

  constructor(app: AppContext) {
    this.#app = app;
  }

  /** It works again. */
  clear(what: string): void {
    if (this.#last !== what && lastFailure(this.#app)?.what !== what) return;
    this.#last = undefined;
    try {
      using directory = openEventLog(this.#app);
      directory?.unlink(fileName);
    } catch (failure) {
      // The user may have deleted it.
      if (!hostFiles.asFileError(failure)) throw failure;
    }
  }

  note(what: string, error: unknown): void {
    this.#last = what;
    const at = this.#app.clock.now().toISOString();
    const reason = cleanLine(error instanceof Error ? error.message : String(error), reasonMax);
    try {
      using directory = makeEventsDirectory(this.#app);
      directory.write(fileName, `${at} ${what} ${reason}\n`, { durable: false });
    } catch (failure) {
      // The disk may be full, which is what was to be noted.
      if (!hostFiles.asFileError(failure)) throw failure;
    }
  }
}

/** The last failure that was not followed by a success; undefined if there was none. */
export function lastFailure(app: AppContext): Failure | undefined {
  try {
    using directory = openEventLog(app);
    const text = directory?.readHead(fileName, { maxBytes: fileMaxBytes })?.toString('utf8') ?? '';
    const [, at, what, reason] = /^(\S+) (\S+) (.*)\n$/.exec(text) ?? [];
    return at === undefined || what === undefined ? undefined : { at, what, reason: reason ?? '' };
  } catch (error) {
    if (hostFiles.asFileError(error)) return undefined;
    throw error;
  }
}
