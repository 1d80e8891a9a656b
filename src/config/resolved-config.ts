// Input and result of loading a workspace's configuration.

import type { ConfigPaths } from './config-paths.ts';
import type { KeyName, PartialSettings, Settings } from './keys/table.ts';
import type { Origins } from './origin.ts';

export interface ConfigFacts extends ConfigPaths {
  /** From --profile, an alias or a resumed session; overrides `[defaults] profile`. */
  readonly profile?: string | undefined;
  /** Values of the command line. */
  readonly flags?: PartialSettings;
}

/** A value of a project file that needs the user's approval. */
export interface PendingValue {
  readonly name: KeyName;
  readonly source: string;
  /** The profile that the file belongs to: the same key in another profile is a separate value. */
  readonly profile: string | undefined;
  readonly line: number;
  /** `key = value`, for display. */
  readonly text: string;
}

export interface ResolvedConfig {
  readonly settings: Settings;
  readonly origins: Origins;
  readonly warnings: readonly string[];
  readonly profile: string | undefined;
  /** The profile's file with text for the agent. */
  readonly contextFile: string | undefined;
  /** Values that `coi trust` would approve. */
  readonly waiting: readonly PendingValue[];
  /** Project files that loosen something, with the digest that an approval applies to. */
  readonly untrusted: readonly UntrustedSource[];
}

export interface UntrustedSource {
  readonly path: string;
  readonly digest: string;
  readonly approved: boolean;
}
