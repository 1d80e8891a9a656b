// The session that the beginning of an id means, as `coi list` shows it. Pure.
import { CoiError } from '../../errors.ts';
import type { SessionId } from '../../names.ts';

const beginningMin = 4;

/** The id itself where no other begins so. Throws `session-not-found` where several do. */
export function meantId(given: SessionId, ids: readonly SessionId[]): SessionId {
  if (given.length < beginningMin || ids.includes(given)) return given;
  const [first, ...others] = new Set(ids.filter((id) => id.startsWith(given)));
  if (others.length === 0) return first ?? given;
  throw new CoiError(
    'session-not-found',
    `${others.length + 1} saved sessions begin with '${given}'`,
    { hint: 'Give more of the id; `coi list --all --long` shows them in full.' },
  );
}
