// The signals that interrupt the program.
import { constants } from 'node:os';
import { CoiError } from '../../errors.ts';

export const interruptSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The error for a signal: `cancelled`, with the exit status that shells use. `more` describes the state left behind. */
export function interruptError(name: (typeof interruptSignals)[number], more = ''): CoiError {
  const exit = 128 + constants.signals[name];
  return new CoiError('cancelled', `interrupted by ${name}${more}`, { exit });
}
