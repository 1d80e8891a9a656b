// Events of sessions, as in the user's event log and in the output of `coi events --json`. Pure.
import type { ActivityJson } from '../activity-text.ts';
import { fieldsOf, textOf } from '../fields.ts';

/** A session, and what it does. */
export interface SessionState {
  readonly container: string;
  /** Empty if it has none. */
  readonly alias: string;
  readonly slot: number;
  readonly tool: string;
  readonly workspace: string;
  readonly session_id: string;
  /** Distinguishes containers that have the same name one after the other. */
  readonly instance: string;
  readonly attention: ActivityJson;
}

/** `created`: first seen. `activity`: it does something else. `ended`: its container is gone. */
export interface SessionEvent extends SessionState {
  readonly v: 1;
  readonly type: 'created' | 'activity' | 'ended';
  /** ISO 8601: when it was seen. */
  readonly at: string;
  /** The status before. */
  readonly from?: string;
}

/** All sessions at one moment. */
export interface Snapshot {
  readonly v: 1;
  readonly type: 'snapshot';
  readonly at: string;
  readonly sessions: readonly SessionState[];
}

export type LoggedEvent = SessionEvent | Snapshot;

/** Undefined for a line that is cut or of another version. The log is the user's own: only its form is checked. */
export function parseEvent(line: string): LoggedEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { v, type, at, sessions } = fieldsOf(value);
  if (v !== 1 || typeof at !== 'string') return undefined;
  if (type === 'snapshot')
    return Array.isArray(sessions) && sessions.every(isState) ? (value as Snapshot) : undefined;
  const isKnown = type === 'created' || type === 'activity' || type === 'ended';
  return isKnown && isState(value) ? (value as SessionEvent) : undefined;
}

function isState(value: unknown): value is SessionState {
  const { container, instance, attention } = fieldsOf(value);
  const { status, asks } = fieldsOf(attention);
  return [container, instance, status].every((text) => textOf(text) !== '') && Array.isArray(asks);
}

/** The sessions after the events of a log; the first event of a file is a snapshot. */
export function foldEvents(
  before: ReadonlyMap<string, SessionState>,
  events: Iterable<LoggedEvent>,
): Map<string, SessionState> {
  const states = new Map(before);
  for (const event of events) {
    if (event.type === 'snapshot') {
      states.clear();
      for (const state of event.sessions) states.set(state.instance, state);
    } else if (event.type === 'ended') states.delete(event.instance);
    else states.set(event.instance, stateOf(event));
  }
  return states;
}

function stateOf({
  container,
  alias,
  slot,
  tool,
  workspace,
  session_id,
  instance,
  attention,
}: SessionState): SessionState {
  return { container, alias, slot, tool, workspace, session_id, instance, attention };
}
