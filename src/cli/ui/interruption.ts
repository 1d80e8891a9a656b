// The signals by which a person or a system ends the program early.
import { constants } from 'node:os';
import { CoiError } from '../../errors.ts';

export const interrupts = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What such a signal means for the program: `cancelled`, with the exit status that shells use. `more`: what is left. */
export function interruption(name: (typeof interrupts)[number], more = ''): CoiError {
  const exit = 128 + constants.signals[name];
  return new CoiError('cancelled', `interrupted by ${name}${more}`, { exit });
}
