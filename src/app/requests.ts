// Parsed input of the use cases: the command line (src/cli/requests.ts) and the library (src/index.ts) create the same
// records, and no code below them sees a flag.
import type { NetworkMode } from '../coid-api/network-protocol.ts';
import type { PartialSettings } from '../config/keys/table.ts';
import type { SessionId, Slot } from '../names.ts';
import type { Variable } from '../session/plan/environment.ts';
import type { ExtraMount } from '../session/plan/session-spec.ts';

/** Selects containers by owner. */
export interface OwnerScope {
  /** Root only: the containers of all users. */
  readonly allUsers?: boolean | undefined;
}

/** An existing session, selected by its workspace. */
export interface SessionTarget extends OwnerScope {
  /** Relative to the current directory, which is the default. */
  readonly workspace?: string | undefined;
  /** Undefined: any slot. */
  readonly slot?: Slot | undefined;
}

/** Overrides values of the configuration. */
export interface ConfigurationRequest {
  readonly profile?: string | undefined;
  readonly image?: string | undefined;
  readonly tool?: string | undefined;
  readonly persistent?: boolean | undefined;
  readonly network?: NetworkMode | undefined;
  /** Values of former flags that are configuration keys now. */
  readonly settings?: PartialSettings | undefined;
}

/** Variables of the session, in addition to the configuration's. Later ones win, and `env` wins over `envFiles`. */
export interface VariablesRequest {
  readonly env: readonly Variable[];
  /** Files of NAME=value lines; relative to the current directory. */
  readonly envFiles: readonly string[];
}

/** A session in a working tree of its own. */
export interface TreeRequest {
  /** Undefined: a new one, whose name coi chooses. */
  readonly branch: string | undefined;
  /** Refuse a tree that exists. */
  readonly isNew: boolean;
  /** Commit, branch or tag that a new tree begins with. */
  readonly from: string | undefined;
}

/** Starts a container: for a session, or for one command. */
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
  /** `shared`: in the directory itself. Undefined: as configured. */
  readonly tree?: TreeRequest | 'shared' | undefined;
  /** bash instead of the agent. */
  readonly debug?: boolean | undefined;
}
