// Remembers why a notice could not be delivered, for `coi health`: the watcher has no terminal.
import { cleanLine } from '../../attention/clean.ts';
import type { AppContext } from '../context.ts';
import { makeEventLog, openEventLog, tolerant } from '../events/event-log.ts';

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

  constructor(app: AppContext) {
    this.#app = app;
  }

  /** It works again. */
  clear(what: string): void {
    if (lastFailure(this.#app)?.what !== what) return;
    tolerant(() => {
      using directory = openEventLog(this.#app);
      directory?.unlink(fileName);
    });
  }

  /** The disk may be full, which is what is to be noted: then nothing is. */
  note(what: string, error: unknown): void {
    const at = this.#app.clock.now().toISOString();
    const reason = cleanLine(error instanceof Error ? error.message : String(error), reasonMax);
    tolerant(() => {
      using directory = makeEventLog(this.#app);
      directory.write(fileName, `${at} ${what} ${reason}\n`, { durable: false });
    });
  }
}

/** The last failure that was not followed by a success; undefined if there was none. */
export function lastFailure(app: AppContext): Failure | undefined {
  return tolerant(() => {
    using directory = openEventLog(app);
    const text = directory?.readHead(fileName, { maxBytes: fileMaxBytes })?.toString('utf8') ?? '';
    const [, at, what, reason] = /^(\S+) (\S+) (.*)\n$/.exec(text) ?? [];
    return at === undefined || what === undefined ? undefined : { at, what, reason: reason ?? '' };
  });
}
