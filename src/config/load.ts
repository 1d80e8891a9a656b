// What is in force for one command: defaults, files, profile, environment and flags, each value with its origin.
// Without any file this is a few failed opens; the TOML reader and all else is loaded when there is something to read.
import type { HostFiles } from '../host/files.ts';
import { environmentLayer } from './environment.ts';
import type { KeyName, PartialSettings, Settings } from './keys.ts';
import { merged } from './merge.ts';
import { oldPlaces } from './migrate.ts';
import type { Layer, Origins } from './origin.ts';

export interface ConfigFacts {
  /** Home of the user that coi works for. */
  readonly home: string;
  /** Absolute path of the project directory. */
  readonly workspace: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
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

/** Resolves the configuration. Throws `config-invalid` and `profile-not-found`. */
export async function loadConfig(facts: ConfigFacts, files: HostFiles): Promise<ResolvedConfig> {
  const environment = environmentLayer(facts.env);
  const flags: Layer = { values: facts.flags ?? {}, origin: () => ({ kind: 'flag' }) };
  if (hasFiles(facts, files)) {
    const { loadFiles } = await import('./load-files.ts');
    return loadFiles(facts, files, environment, flags);
  }
  const result = merged([environment, flags], facts.home);
  return {
    ...result,
    warnings: [],
    profile: undefined,
    contextFile: undefined,
    waiting: [],
    untrusted: [],
  };
}

/** Whether there is anything to read, asked in the cheapest way. */
function hasFiles({ home, workspace, env, profile }: ConfigFacts, files: HostFiles): boolean {
  return (
    Boolean(env['COI_CONFIG']) ||
    profile !== undefined ||
    [
      `${home}/.coi/config.toml`,
      `${workspace}/.coi`,
      ...oldPlaces(home, workspace).map(({ path }) => path),
    ].some(files.exists)
  );
}
