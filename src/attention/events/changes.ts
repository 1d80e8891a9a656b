// Decides which events lead from one list of sessions to the next. Pure.
import type { ActivityJson } from '../activity-text.ts';
import type { SessionEvent, SessionState } from './event.ts';

/** `at`: ISO 8601. */
export function changesBetween(
  before: ReadonlyMap<string, SessionState>,
  now: ReadonlyMap<string, SessionState>,
  at: string,
): SessionEvent[] {
  const ended = [...before.values()]
    .filter(({ instance }) => !now.has(instance))
    .map((state): SessionEvent => {
      const attention: ActivityJson = { status: 'ended', asks: [] };
      return { v: 1, type: 'ended', at, from: state.attention.status, ...state, attention };
    });
  const others = [...now.values()].flatMap((state): SessionEvent[] => {
    const known = before.get(state.instance);
    if (!known) return [{ v: 1, type: 'created', at, ...state }];
    return isSame(known.attention, state.attention) && known.alias === state.alias
      ? []
      : [{ v: 1, type: 'activity', at, from: known.attention.status, ...state }];
  });
  return [...ended, ...others];
}

/** An agent that is idle since another time has ended another turn; a dialog has no id of its own. */
function isSame(one: ActivityJson, other: ActivityJson): boolean {
  return markOf(one) === markOf(other);
}

function markOf({ status, since, why, by, exit_status, asks }: ActivityJson): string {
  const isDated = status === 'idle' || asks.some(({ kind }) => kind === 'dialog');
  return JSON.stringify([
    ...[status, why, by, exit_status, isDated ? since : ''],
    ...asks.map(({ id, title }) => [id, title]),
  ]);
}
