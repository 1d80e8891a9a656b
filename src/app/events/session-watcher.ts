// Follows what all sessions of the user do, and writes events to the user's event log.
import type { Activity } from '../../attention/activity.ts';
import { activityJson } from '../../attention/activity-text.ts';
import { changesBetween } from '../../attention/events/changes.ts';
import type { SessionEvent, SessionState } from '../../attention/events/event.ts';
import { TokenBuckets } from '../../attention/token-buckets.ts';
import type { WatchInput } from '../../coid-api/watch-protocol.ts';
import { instanceName } from '../../names.ts';
import { noTool, type SessionRecord, sessionRecord } from '../../session/record/instance-record.ts';
import type { ObservedContainer } from '../attention/container-activity.ts';
import type { AppContext } from '../context.ts';
import type { EventLogWriter } from './event-log-writer.ts';
import { WatchedSession } from './watched-session.ts';

const checkMs = 3000;
/** Events of a session that changes all the time would push those of the others out of the log: two turns a second are enough. */
const eventBudget = { burst: 200, refillMs: 250 };

export interface WatcherParts {
  readonly app: AppContext;
  readonly log: EventLogWriter;
  /** Receives events after they were written. */
  readonly onEvents: (events: readonly SessionEvent[]) => void;
  readonly onError: (error: unknown) => void;
}

export class SessionWatcher implements Disposable {
  readonly #parts: WatcherParts;
  readonly #sessions = new Map<string, WatchedSession>();
  readonly #states = new Map<string, SessionState>();
  readonly #budget = new TokenBuckets(eventBudget);
  readonly #timer: NodeJS.Timeout;

  constructor(parts: WatcherParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => this.#check(), checkMs);
  }

  /** A new list of the user's containers. */
  update({ instances }: WatchInput): void {
    const { app, onError } = this.#parts;
    const listed = new Map<string, ObservedContainer & { readonly session: SessionRecord }>();
    for (const instance of instances) {
      const session = sessionRecord(instance.config);
      const { name, status } = instance;
      if (session?.owner === app.user.uid && session.tool !== noTool)
        listed.set(session.mounts.id, { name: instanceName(name), status, session, instance });
    }
    for (const [id, watched] of this.#sessions) {
      if (listed.has(id)) continue;
      watched[Symbol.dispose]();
      this.#sessions.delete(id);
      this.#states.delete(id);
      this.#budget.forget(id);
    }
    for (const [id, container] of listed) {
      const watched = this.#sessions.get(id);
      if (watched) watched.update(container);
      else
        this.#sessions.set(
          id,
          new WatchedSession(
            app,
            container,
            (now, activity) => this.#onActivity(now, activity),
            onError,
          ),
        );
    }
    this.#write();
  }

  #onActivity({ name, session }: ObservedContainer, activity: Activity): void {
    if (!session) return;
    this.#states.set(session.mounts.id, stateOfSession(name, session, activity));
    this.#write();
  }

  #check(): void {
    for (const watched of this.#sessions.values()) watched.check();
    // What was over the budget, and what could not be written.
    this.#write();
  }

  #write(): void {
    const { app, log, onEvents, onError } = this.#parts;
    const before = log.states;
    const now = new Map<string, SessionState>();
    for (const id of this.#sessions.keys()) {
      // Of a session that was not looked at yet, the log may know something.
      const state = this.#states.get(id) ?? before.get(id);
      if (state) now.set(id, state);
    }
    const at = app.clock.now().toISOString();
    const nowMs = app.clock.elapsedMs();
    const events = changesBetween(before, now, at).filter(
      ({ type, instance }) => type === 'ended' || this.#budget.take(instance, nowMs),
    );
    if (events.length === 0) return;
    try {
      log.append(events, at);
    } catch (error) {
      onError(error);
      return;
    }
    onEvents(events);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const watched of this.#sessions.values()) watched[Symbol.dispose]();
  }
}

function stateOfSession(name: string, session: SessionRecord, activity: Activity): SessionState {
  return {
    container: name,
    alias: session.alias ?? '',
    slot: session.slot,
    tool: session.tool,
    workspace: session.workspace,
    session_id: session.session,
    instance: session.mounts.id,
    attention: activityJson(activity),
  };
}
