// Chooses the session for `coi shell`: a new one, a saved one in a new container, or one in its stopped container. Pure.
import { CoiError } from '../../errors.ts';
import type { SessionId, Slot } from '../../names.ts';
import { type Container, isNeverStarted, type SessionRecord } from './instance-record.ts';

/** A session in the store. */
export interface SavedSession {
  readonly id: SessionId;
  readonly workspace: string;
  readonly tool: string;
  readonly slot: Slot | undefined;
  readonly persistent: boolean;
  readonly profile: string | undefined;
}

export interface ShellRequest {
  /** `newest` or an id; undefined for a new session. */
  readonly resume: 'newest' | SessionId | undefined;
  readonly slot: Slot | undefined;
  /** From flag or configuration; undefined if neither is set. */
  readonly persistent: boolean | undefined;
}

/** A stopped container with a session record. */
export type StoppedSession = Container & { readonly session: SessionRecord };

export type SessionChoice =
  | { readonly kind: 'new'; readonly slot: Slot | undefined }
  /** A saved conversation in a new container, in its old slot if that is free. */
  | {
      readonly kind: 'resume';
      readonly saved: SavedSession;
      readonly slot: Slot | undefined;
      /** Its last container, which is stopped but not deleted yet, or is restarting. */
      readonly leftover: StoppedSession | undefined;
    }
  /** The tool in a named, running container; if `resumed`, its conversation continues. */
  | { readonly kind: 'join'; readonly container: Container; readonly resumed: boolean }
  /** A stopped container starts again; `saved` is set if its conversation continues. */
  | {
      readonly kind: 'restart';
      readonly container: StoppedSession;
      readonly saved: SavedSession | undefined;
    };

/**
 * `containers`: the caller's in this workspace. `saved`: all sessions of this workspace, newest first. `foreign`: finds the
 * workspace of a session that belongs to another one.
 * Throws `session-not-found` and `session-live`.
 */
export function chooseSession(
  request: ShellRequest,
  containers: readonly Container[],
  saved: readonly SavedSession[],
  foreign: (id: SessionId) => string | undefined,
): SessionChoice {
  const own = containers.filter(
    (container): container is StoppedSession => container.session !== undefined,
  );
  if (request.resume !== undefined)
    return chooseResumed(request, own, sessionToResume(request.resume, saved, foreign));
  const stopped = own.filter(
    ({ status, session, instance }) =>
      status === 'Stopped' && session.persistent && !isNeverStarted(instance),
  );
  const inSlot = stopped.find(({ session }) => session.slot === request.slot);
  if (inSlot) return { kind: 'restart', container: inSlot, saved: undefined };
  if (request.slot === undefined && request.persistent) {
    const lowest = stopped.toSorted((a, b) => a.session.slot - b.session.slot)[0];
    if (lowest) return { kind: 'restart', container: lowest, saved: undefined };
  }
  return { kind: 'new', slot: request.slot };
}

/** The choice for `--container`. Throws `session-not-found` for a container that can be neither joined nor started. */
export function chooseContainer(container: Container, resumed: boolean): SessionChoice {
  const { name, status, session } = container;
  if (status === 'Running') return { kind: 'join', container, resumed };
  const stopped = session && status === 'Stopped' ? { ...container, session } : undefined;
  if (stopped?.session.persistent) {
    const { slot, tool, workspace, profile } = stopped.session;
    const id = stopped.session.session;
    const saved = { id, workspace, tool, slot, persistent: true, profile };
    return { kind: 'restart', container: stopped, saved: resumed ? saved : undefined };
  }
  const hint = {
    Frozen: `It is paused; run \`coi unfreeze ${name}\` to resume it.`,
    Stopped: session
      ? 'Run `coi shell --resume` to continue its session in a new container; this one is ephemeral and is being deleted.'
      : `Run \`coi container start ${name}\` first; \`coi shell\` only starts containers that coi created.`,
  };
  throw new CoiError('session-not-found', `container ${name} is ${status.toLowerCase()}`, {
    hint:
      status === 'Frozen' || status === 'Stopped'
        ? hint[status]
        : 'Run `coi list` to see your sessions.',
  });
}

function sessionToResume(
  wanted: 'newest' | SessionId,
  saved: readonly SavedSession[],
  foreign: (id: SessionId) => string | undefined,
): SavedSession {
  if (wanted === 'newest') {
    const newest = saved[0];
    if (newest) return newest;
    throw new CoiError('session-not-found', 'no previous session to resume for this workspace', {
      hint: 'Run `coi list --all` to see the saved sessions of all workspaces.',
    });
  }
  const found = saved.find(({ id }) => id === wanted);
  if (found) return found;
  const elsewhere = foreign(wanted);
  if (elsewhere !== undefined) {
    throw new CoiError(
      'session-not-found',
      `session '${wanted}' belongs to another workspace: ${elsewhere}`,
      { hint: `Run it there, or add --workspace ${elsewhere}.` },
    );
  }
  throw new CoiError('session-not-found', `session '${wanted}' not found`, {
    hint: 'Run `coi list --all` to see the saved sessions.',
  });
}

export function sessionLive({ id }: SavedSession, container: string): CoiError {
  return new CoiError('session-live', `session '${id}' is live in ${container}`, {
    hint: `Run \`coi attach ${container}\` to open it, or a plain \`coi shell\` for a second session.`,
  });
}

function chooseResumed(
  request: ShellRequest,
  own: readonly StoppedSession[],
  saved: SavedSession,
): SessionChoice {
  const container = own.find(({ session }) => session.session === saved.id);
  if (container && container.status !== 'Stopped') {
    throw sessionLive(saved, container.name);
  }
  if (container?.session.persistent) return { kind: 'restart', container, saved };
  return { kind: 'resume', saved, slot: request.slot ?? saved.slot, leftover: container };
}
