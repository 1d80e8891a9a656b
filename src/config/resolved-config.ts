// What loading the configuration of a workspace takes and gives.
import type { KeyName, PartialSettings, Settings } from './keys/table.ts';
import type { Origins } from './origin.ts';
import type { Places } from './places.ts';

export interface ConfigFacts extends Places {
  /** Named by --profile, an alias or a resumed session; wins over `[defaults] profile`. */
  readonly profile?: string | undefined;
  /** Values of the command line. */
  readonly flags?: PartialSettings;
}

/** A value of the project's file that is not in force until the user approves it. */
export interface Waiting {
  readonly name: KeyName;
  readonly source: string;
  /** Of which the file is: the same key in another profile is another value. */
  readonly profile: string | undefined;
  readonly line: number;
  /** `key = value`, for people. */
  readonly text: string;
}

export interface ResolvedConfig {
  readonly settings: Settings;
  readonly origins: Origins;
  readonly warnings: readonly string[];
  readonly profile: string | undefined;
  /** File whose text goes into what the agent is told, from the profile. */
  readonly contextFile: string | undefined;
  /** What `coi trust` would put in force. */
  readonly waiting: readonly Waiting[];
  /** Project files that loosen something, with the digest that an approval is bound to. */
  readonly untrusted: readonly UntrustedSource[];
}

export interface UntrustedSource {
  readonly path: string;
  readonly digest: string;
  readonly approved: boolean;
}
