// What the library (index.ts) takes and gives. Shipped as it is: it imports nothing.
export interface CoiOptions {
  /** Where relative paths start, and the workspace that {@link Coi.open} takes by default. Default: the current directory. */
  readonly cwd?: string;
  /** Default: that of this process. `COI_*` variables work as they do for the command. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Takes the lines that `coi` would print on stderr. Default: they are dropped. */
  readonly tell?: (line: string) => void;
  /** Gives up what is being waited for; sessions go on. */
  readonly signal?: AbortSignal;
}

export interface OpenOptions {
  /** The directory to work in. */
  readonly workspace?: string;
  /** `claude`, `opencode`, … or one of the configuration's own. */
  readonly tool?: string;
  readonly image?: string;
  readonly profile?: string;
  /** 1 to 99; without it the first of 1 to 10 that is free. */
  readonly slot?: number;
  /** Keeps the container when it stops; then {@link Session} does not end when it is disposed of. */
  readonly persistent?: boolean;
  readonly network?: 'restricted' | 'allowlist' | 'open';
  /** Variables for the agent. They are in no process list, log or event. */
  readonly env?: Readonly<Record<string, string>>;
  /** Further directories, as `HOST:CONTAINER[:ro]`. */
  readonly mounts?: readonly string[];
  /** Goes on with the newest conversation of the workspace, or with that session. */
  readonly resume?: boolean | string;
}

/** One container of coi's, as it was when it was asked for. */
export interface SessionInfo {
  /** The name of its container. */
  readonly name: string;
  /** As Incus says it: `Running`, `Stopped`, `Frozen`, … */
  readonly status: string;
  /** The id that {@link OpenOptions.resume} takes; undefined in a container that only carries the prefix, as do the next. */
  readonly id: string | undefined;
  readonly workspace: string | undefined;
  readonly slot: number | undefined;
  readonly tool: string | undefined;
  readonly persistent: boolean;
  readonly alias: string | undefined;
}

export interface RunOptions {
  /** Default: the workspace. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What the command reads. Default: nothing. */
  readonly input?: string | Uint8Array;
  /** Default: the agent's user. */
  readonly user?: 'agent' | 'root';
  /** Ends the command; `run` then throws the signal's reason. */
  readonly signal?: AbortSignal;
  /** How much is kept of each output; what comes after it is read and dropped. Default: 16 MiB; at most 256 MiB. */
  readonly outputBytesMax?: number;
}

export interface RunResult {
  /** Exit status; a status other than 0 is a result, no error. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** One of the two was longer than {@link RunOptions.outputBytesMax}. */
  readonly truncated: boolean;
}

/** A session. Disposing of one that {@link Coi.open} made without `persistent` ends it by force; its conversation is kept. */
export interface Session extends AsyncDisposable {
  readonly info: SessionInfo;
  /** Runs one command in it to its end, beside the agent. */
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Joins the terminal of this process to the agent's; resolves when it is left. Throws `no-terminal` without one. */
  attach(): Promise<void>;
  /** Shuts it down and deletes its container; its conversation is kept. `force` does not ask the guest first. */
  end(options?: { readonly force?: boolean; readonly timeoutMs?: number }): Promise<void>;
}

export interface Coi extends AsyncDisposable {
  readonly version: string;
  /** Starts (or resumes) a session in the background, as `coi shell --background` does. */
  open(options?: OpenOptions): Promise<Session>;
  /** The caller's containers, by name. */
  list(): Promise<SessionInfo[]>;
  /** The session of that container name or alias. Throws `session-not-found`. Disposing of it changes nothing. */
  session(name: string): Promise<Session>;
  /** Closes the connections; sessions go on. */
  close(): Promise<void>;
}
