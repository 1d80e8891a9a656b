// Context of the checks of `coi health`: the host, and the user's configuration, store and containers.
import type { Settings } from '../config/keys/table.ts';
import type { PathFacts } from '../host/fs/path-facts.ts';
import type { Container } from '../session/record/instance-record.ts';
import type { StoredEntry } from '../session/store/saved-sessions.ts';
import type { CheckContext } from './check.ts';

export type UserConfig =
  | {
      readonly kind: 'loaded';
      readonly settings: Settings;
      readonly warnings: readonly string[];
      /** How many values wait for `coi trust`. */
      readonly waiting: number;
    }
  | { readonly kind: 'broken'; readonly message: string; readonly hint: string | undefined };

export type ProbeResult =
  | {
      readonly kind: 'answered';
      /** Address of the probed name, resolved in the container. */
      readonly address: string | undefined;
      /** Whether the probed name answers in the container, and on the host. */
      readonly connected: boolean;
      readonly hostConnects: boolean;
      /** Forbidden addresses that were reached, as `address:port`. */
      readonly reached: readonly string[];
      /** Whether a listener on this host was reached; undefined if none could be opened. */
      readonly hostReached: boolean | undefined;
      readonly tookMs: number;
    }
  | { readonly kind: 'no-image'; readonly image: string }
  | { readonly kind: 'failed'; readonly message: string; readonly hint: string | undefined };

export interface UserFacts {
  readonly home: string;
  readonly uid: number;
  readonly config: UserConfig;
  /** Name of the host's time zone. */
  readonly zone: string | undefined;
  readonly stored: readonly StoredEntry[];
  facts(path: string): PathFacts;
  /** Why a notice could not be delivered last; undefined if that never happened. */
  readonly lastFailure:
    | { readonly at: string; readonly what: string; readonly reason: string }
    | undefined;
  /** The user is logged in on a desktop, and notify-send is installed. */
  readonly hasDesktop: boolean;
  /** Whether this user may create files in that directory. */
  writable(path: string): boolean;
  containers(): Promise<readonly Container[]>;
  /** Starts a container once and reports what it reached; undefined if not requested. */
  readonly probe: (() => Promise<ProbeResult>) | undefined;
}

export interface HealthContext extends CheckContext {
  readonly user: UserFacts;
  readonly nowMs: number;
}
