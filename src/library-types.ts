// Public types of the library (index.ts). The file is shipped as it is, so it imports nothing.
export interface CoiOptions {
  /** Base of relative paths, and default workspace of {@link Coi.open}. Default: the current directory. */
  readonly cwd?: string;
  /** Default: the environment of this process. `COI_*` variables work as for the command. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Receives the lines that `coi` would print on stderr. Default: they are dropped. */
  readonly tell?: (line: string) => void;
  /** Aborts pending operations; sessions keep running. */
  readonly signal?: AbortSignal;
}

export interface OpenOptions {
  /** The directory to work in. */
  readonly workspace?: string;
  /** `claude`, `opencode`, … or a custom agent of the configuration. */
  readonly tool?: string;
  readonly image?: string;
  readonly profile?: string;
  /** 1 to 99. Default: the first free slot of 1 to 10. */
  readonly slot?: number;
  /** Keeps the container when it stops. Disposing of the {@link Session} then does not end it. */
  readonly persistent?: boolean;
  readonly network?: 'restricted' | 'allowlist' | 'open';
  /** Variables for the agent. They never appear in process lists, logs or events. */
  readonly env?: Readonly<Record<string, string>>;
  /** Additional directories, as `HOST:CONTAINER[:ro]`. */
  readonly mounts?: readonly string[];
  /** Resumes the newest session of the workspace (`true`), or the session with this id. */
  readonly resume?: boolean | string;
}

/** A container of coi, at the time of the call. */
export interface SessionInfo {
  /** The name of its container. */
  readonly name: string;
  /** The status in Incus: `Running`, `Stopped`, `Frozen`, … */
  readonly status: string;
  /**
   * The id for {@link OpenOptions.resume}. This and the following properties are undefined for a container that has only
   * the name prefix of coi.
   */
  readonly id: string | undefined;
  readonly workspace: string | undefined;
  readonly slot: number | undefined;
  readonly tool: string | undefined;
  readonly persistent: boolean;
  readonly alias: string | undefined;
  /** What its agent does; undefined for a container without an agent. */
  readonly activity: Activity | undefined;
}

export interface RunOptions {
  /** Default: the workspace. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input of the command. Default: empty. */
  readonly input?: string | Uint8Array;
  /** Default: the agent's user. */
  readonly user?: 'agent' | 'root';
  /** Ends the command; `run` then throws the reason of the signal. */
  readonly signal?: AbortSignal;
  /** Bytes to keep of each output; the rest is read and dropped. Default: 16 MiB; at most 256 MiB. */
  readonly outputBytesMax?: number;
}

export interface RunResult {
  /** Exit status. A status other than 0 is a result, not an error. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout or stderr was longer than {@link RunOptions.outputBytesMax}. */
  readonly truncated: boolean;
}

/** A question that the agent asks. Its text comes from the container: it has no control characters, but it is not to be trusted. */
export interface Ask {
  /**
   * The agent's id of the tool call, with `:2` and so on for its further questions; `dialog` for a dialog that the agent
   * does not describe.
   */
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
  /** Only a question has options of the agent's own. Those of permissions and plans are the ones that coi can choose. */
  readonly options: readonly AskOption[];
  /** Several options may be chosen. */
  readonly multiple?: boolean;
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
  /** `said`: the agent's last words in its turn, as untrusted as an {@link Ask}. */
  | {
      readonly kind: 'idle';
      readonly sinceMs?: number;
      readonly why: IdleReason;
      readonly said?: string;
    }
  /** The agent's process has ended, with that exit status if it is known; the container runs. */
  | { readonly kind: 'exited'; readonly status?: number }
  | { readonly kind: 'paused'; readonly by: 'monitor' | 'user'; readonly reason?: string }
  | { readonly kind: 'stopped' }
  /** The container is gone. */
  | { readonly kind: 'ended' }
  | { readonly kind: 'unknown'; readonly why: UnknownReason };

export interface SendOptions {
  /** End what the agent does first; if it worked, what is in its input box is discarded. */
  readonly interrupt?: boolean;
  /** Stop waiting; throws the reason of the signal. The message may have been sent. */
  readonly signal?: AbortSignal;
}

export interface Sent {
  /** `queued`: the agent is busy and reads the message when it can. */
  readonly state: 'delivered' | 'queued';
  /** How the agent's turn ended, with `wait`. */
  readonly end: Exclude<IdleReason, 'fresh'> | undefined;
  /** The agent's last words in that turn, with `wait`. */
  readonly reply: string | undefined;
}

export interface AnswerChoice {
  /** Ids or labels of options, one for each question; `yes` and `no` for permissions and plans. */
  readonly options?: readonly string[];
  /** A text in place of an option, or the reason of a `no`. */
  readonly text?: string;
}

/** A session. Disposing of one opened by {@link Coi.open} without `persistent` ends it by force; its conversation is saved. */
export interface Session extends AsyncDisposable {
  readonly info: SessionInfo;
  /** Runs a command in it, alongside the agent, and waits for its end. */
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** What the agent does now. */
  status(): Promise<Activity>;
  /**
   * Waits until the agent is idle, asks something or has ended, or for one of these; what is true already counts. Throws
   * `session-ended`, `session-paused` or `status-unknown` if it can no longer be reached.
   */
  wait(options?: {
    readonly for?: readonly ('idle' | 'asks' | 'exit')[];
    readonly signal?: AbortSignal;
  }): Promise<Activity>;
  /**
   * Sends a message to the agent, and returns when the agent has it; with `wait`, when it has answered. Throws
   * `session-asks` if the agent asks something, `session-ended`, `session-paused`, `status-unknown`, and
   * `send-unconfirmed` if it is unknown whether the message has arrived.
   */
  send(text: string, options?: SendOptions & { readonly wait?: boolean }): Promise<Sent>;
  /**
   * Answers the question with this id, and returns when it is closed. Several questions of one call take one option each.
   * Throws `ask-gone` if it is not open any more, `usage` if the choice does not fit, `ask-not-answerable` if only the
   * terminal can answer, and `answer-unconfirmed`.
   */
  answer(ask: string, choice: AnswerChoice): Promise<void>;
  /** What its terminal shows, as plain text. Throws `session-not-found` if it is not running. */
  screen(): Promise<string>;
  /** Attaches the terminal of this process to the agent; resolves after it is detached. Throws `no-terminal` without one. */
  attach(): Promise<void>;
  /** Shuts it down and deletes its container; its conversation is saved. `force` skips the graceful shutdown. */
  end(options?: { readonly force?: boolean; readonly timeoutMs?: number }): Promise<void>;
}

export interface Coi extends AsyncDisposable {
  readonly version: string;
  /** Starts (or resumes) a session in the background, as `coi shell --background` does. */
  open(options?: OpenOptions): Promise<Session>;
  /** The caller's containers, by name. */
  list(): Promise<SessionInfo[]>;
  /** The session with this container name or alias. Throws `session-not-found`. Disposing of it changes nothing. */
  session(name: string): Promise<Session>;
  /** Closes the connections; sessions keep running. */
  close(): Promise<void>;
}
