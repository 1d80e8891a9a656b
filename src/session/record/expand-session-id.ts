// Expands the abbreviated session id of `coi list`. Pure.
import { CoiError } from '../../errors.ts';
import type { SessionId } from '../../names.ts';

const beginningMin = 4;

/** Returns the given id if none begins with it. Throws `session-not-found` if several do. */
export function expandSessionId(given: SessionId, ids: readonly SessionId[]): SessionId {
  if (given.length < beginningMin || ids.includes(given)) return given;
  const [first, ...others] = new Set(ids.filter((id) => id.startsWith(given)));
  if (others.length === 0) return first ?? given;
  throw new CoiError(
    'session-not-found',
    `${others.length + 1} saved sessions begin with '${given}'`,
    { hint: 'Use more of the id; `coi list --all --long` shows full ids.' },
  );
}
