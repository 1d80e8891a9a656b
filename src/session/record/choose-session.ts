// Which session a `coi shell` means: a new one, a saved one in a fresh container, or a stopped container of its own. Pure.
import { CoiError } from '../../errors.ts';
import type { SessionId, Slot } from '../../names.ts';
import { type Container, isNewborn, type SessionRecord } from './instance-record.ts';

/** A session as the store remembers it. */
export interface SavedSession {
  readonly id: SessionId;
  readonly workspace: string;
  readonly tool: string;
  readonly slot: Slot | undefined;
  readonly persistent: boolean;
  readonly profile: string | undefined;
}

export interface ShellWish {
  /** `newest` or an id; undefined starts anew. */
  readonly resume: 'newest' | SessionId | undefined;
  readonly slot: Slot | undefined;
  /** From flag or configuration; undefined when neither says anything. */
  readonly persistent: boolean | undefined;
}

/** A stopped container with a session of ours in it. */
export type StoppedSession = Container & { readonly session: SessionRecord };

export type Choice =
  | { readonly kind: 'new'; readonly slot: Slot | undefined }
  /** The saved conversation in a new container, in its old slot if that is free. */
  | {
      readonly kind: 'resume';
      readonly saved: SavedSession;
      readonly slot: Slot | undefined;
      /** Its last container, which has stopped and is not gone yet, or is restarting. */
      readonly leftover: StoppedSession | undefined;
    }
  /** The tool in a container that was named and runs; its conversation is to go on if it was `resumed`. */
  | { readonly kind: 'join'; readonly container: Container; readonly resumed: boolean }
  /** A stopped container starts again; `saved` is set when its conversation is to go on. */
  | {
      readonly kind: 'restart';
      readonly container: StoppedSession;
      readonly saved: SavedSession | undefined;
    };

/**
 * Decides. `containers` are the caller's in this workspace; `saved` all of this workspace, newest first; `foreign`
 * finds the workspace of a session that belongs elsewhere.
 * Throws `session-not-found` and `session-live`.
 */
export function choice(
  wish: ShellWish,
  containers: readonly Container[],
  saved: readonly SavedSession[],
  foreign: (id: SessionId) => string | undefined,
): Choice {
  const own = containers.filter(
    (container): container is StoppedSession => container.session !== undefined,
  );
  if (wish.resume !== undefined)
    return resumed(wish, own, sessionToResume(wish.resume, saved, foreign));
  const stopped = own.filter(
    ({ status, session, instance }) =>
      status === 'Stopped' && session.persistent && !isNewborn(instance),
  );
  const inSlot = stopped.find(({ session }) => session.slot === wish.slot);
  if (inSlot) return { kind: 'restart', container: inSlot, saved: undefined };
  if (wish.slot === undefined && wish.persistent) {
    const lowest = stopped.toSorted((a, b) => a.session.slot - b.session.slot)[0];
    if (lowest) return { kind: 'restart', container: lowest, saved: undefined };
  }
  return { kind: 'new', slot: wish.slot };
}

/** What `--container` means. Throws `session-not-found` for one that can neither be joined nor started. */
export function chosenContainer(container: Container, resumed: boolean): Choice {
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
    Frozen: `It is paused; \`coi unfreeze ${name}\` lets it go on.`,
    Stopped: session
      ? 'It is not persistent, so it is being deleted; `coi shell --resume` goes on with its session in a new one.'
      : 'coi did not make it, so it does not start it either.',
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
      hint: '`coi list --all` shows the saved sessions of all workspaces.',
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
    hint: '`coi list --all` shows the saved sessions.',
  });
}

export function sessionLive({ id }: SavedSession, container: string): CoiError {
  return new CoiError('session-live', `session '${id}' is live in ${container}`, {
    hint: `\`coi attach ${container}\` shows it; a second one is started by a plain \`coi shell\`.`,
  });
}

function resumed(wish: ShellWish, own: readonly StoppedSession[], saved: SavedSession): Choice {
  const container = own.find(({ session }) => session.session === saved.id);
  if (container && container.status !== 'Stopped') {
    throw sessionLive(saved, container.name);
  }
  if (container?.session.persistent) return { kind: 'restart', container, saved };
  return { kind: 'resume', saved, slot: wish.slot ?? saved.slot, leftover: container };
}
