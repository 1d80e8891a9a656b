// Turns failed Incus calls into errors for the user.
import { CoiError } from '../../errors.ts';
import type { IncusError } from '../../incus/client.ts';

/** Whether it is an error of the Incus client; checked by shape, because domain code imports no values from there. */
export function isIncusError(error: unknown): error is IncusError {
  return error instanceof Error && error.name === 'IncusError' && 'status' in error;
}

/** Whether the requested object does not exist. */
export function isMissing(error: unknown): boolean {
  return isIncusError(error) && error.status === 404;
}

const sentenceMax = 300;

/** Incus puts complete logs of programs into its errors; the full text stays in `cause`. */
function sentenceOf(message: string): string {
  const [first = ''] = message.split('\n');
  return first.length > sentenceMax ? `${first.slice(0, sentenceMax)}...` : first;
}

/**
 * The CoiError for a failed call: no socket, no permission, lost connection, or `what` with Incus's message. Other errors
 * are returned unchanged.
 */
export function incusFailure(error: unknown, what: string): unknown {
  if (!isIncusError(error)) return error;
  switch (error.errno) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return new CoiError(
        'incus-unreachable',
        'Incus is not running on this host (its socket does not answer)',
        {
          hint: 'Run `sudo coi setup`; `coi health` shows what is missing.',
          cause: error,
        },
      );
    case 'EACCES':
    case 'EPERM':
      return new CoiError('incus-forbidden', 'this user is not allowed to use Incus', {
        hint: 'Join the group incus-admin (sudo usermod -aG incus-admin $USER) and log in again.',
        cause: error,
      });
    case 'ETIMEDOUT':
      return new CoiError('timeout', `${what}: Incus did not answer in time`, {
        hint: 'Run `coi health` to see what is wrong.',
        cause: error,
      });
    case undefined:
      return new CoiError('incus-failed', `${what}: ${sentenceOf(error.message)}`, {
        hint: 'Run `coi health` to see what is wrong, or read the log of Incus.',
        cause: error,
      });
    default:
      return new CoiError('incus-unreachable', `${what}: the connection to Incus was lost`, {
        hint: 'Run `coi health` to see what is wrong; `coi list` shows what is left.',
        cause: error,
      });
  }
}
