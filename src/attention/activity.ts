// What a session does, as far as it can be known without entering its container.

/** A question that the agent asks. Its text comes from the container: it is clean (clean.ts), but not trusted. */
export interface Ask {
  /** The agent's id of the tool call; `dialog` for a dialog that the agent does not describe. */
  readonly id: string;
  /**
   * `permission` to use a tool, a `question` with options of the agent's own, a `plan` to approve, or a `dialog` of the
   * agent's program that only its screen shows.
   */
  readonly kind: 'permission' | 'question' | 'plan' | 'dialog';
  /** One line: the tool's name, or the question. */
  readonly title: string;
  /** The command, file or plan it is about. */
  readonly body?: string;
  /** The body is longer than shown. */
  readonly truncated?: boolean;
  /** Only a question has options of the agent's own. */
  readonly options: readonly AskOption[];
  /** A sub-agent asks. */
  readonly subAgent?: boolean;
}

export interface AskOption {
  readonly id: string;
  readonly label: string;
  readonly note?: string;
}

export type IdleReason =
  /** No message was sent yet. */
  | 'fresh'
  /** The agent ended its turn. */
  | 'finished'
  /** The user interrupted the turn. */
  | 'interrupted'
  /** The turn ended with an error of the model's provider. */
  | 'failed';

export type UnknownReason =
  /** The agent has not started yet. */
  | 'starting'
  /** coi cannot read the activity of this agent. */
  | 'no-signal'
  /** The agent's files have a form that coi does not know. */
  | 'unknown-format'
  /** The files of the session cannot be read. */
  | 'unreadable';

export type Activity =
  | { readonly kind: 'working'; readonly sinceMs?: number }
  | { readonly kind: 'asks'; readonly sinceMs?: number; readonly asks: readonly Ask[] }
  | { readonly kind: 'idle'; readonly sinceMs?: number; readonly why: IdleReason }
  /** The agent's process has ended; the container runs. */
  | { readonly kind: 'exited' }
  | { readonly kind: 'paused'; readonly by: 'monitor' | 'user'; readonly reason?: string }
  | { readonly kind: 'stopped' }
  /** The container is gone. */
  | { readonly kind: 'ended' }
  | { readonly kind: 'unknown'; readonly why: UnknownReason };
