// What use cases are asked for, parsed: the command line (src/cli/requests.ts) and the library (src/index.ts) make the same
// records, and nothing below them sees a flag.
import type { NetworkMode } from '../coid-api/network-protocol.ts';
import type { PartialSettings } from '../config/keys/table.ts';
import type { SessionId, Slot } from '../names.ts';
import type { Variable } from '../session/plan/environment.ts';
import type { ExtraMount } from '../session/plan/session-wish.ts';

/** Whose containers. */
export interface OwnerScope {
  /** Root only: every user's. */
  readonly allUsers?: boolean | undefined;
}

/** A session that is there, by its workspace. */
export interface SessionTarget extends OwnerScope {
  /** Relative to the current directory, which it is by default. */
  readonly workspace?: string | undefined;
  /** Undefined: any. */
  readonly slot?: Slot | undefined;
}

/** What counts before the configuration's own values. */
export interface ConfigurationRequest {
  readonly profile?: string | undefined;
  readonly image?: string | undefined;
  readonly tool?: string | undefined;
  readonly persistent?: boolean | undefined;
  readonly network?: NetworkMode | undefined;
  /** Values of flags that became keys. */
  readonly settings?: PartialSettings | undefined;
}

/** Variables of the session, beside those of the configuration. Later ones win, and they win over files. */
export interface VariablesRequest {
  readonly env: readonly Variable[];
  /** Files of NAME=value lines; relative to the current directory. */
  readonly envFiles: readonly string[];
}

/** A container that is started: a session, or a machine for one command. */
export interface StartRequest extends SessionTarget, ConfigurationRequest, VariablesRequest {
  readonly mounts: readonly ExtraMount[];
}

export interface OpenSessionRequest extends StartRequest {
  /** A registered alias, or one with a slot. */
  readonly alias?: string | undefined;
  readonly resume?: 'newest' | SessionId | undefined;
  /** An existing container, by its name or alias. */
  readonly container?: string | undefined;
  /** `headless`: one prompt on stdin. */
  readonly mode: 'terminal' | 'background' | 'headless';
  /** bash instead of the agent. */
  readonly debug?: boolean | undefined;
}
