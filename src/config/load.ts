// What is in force for one command: defaults, files, profile, environment and flags, each value with its origin.
// Without any file this is a few failed opens; the TOML reader and all else is loaded when there is something to read.
import type { Directory, HostFiles } from '../host/files.ts';
import { environmentLayer } from './environment.ts';
import type { PartialSettings, Settings } from './keys.ts';
import { merged } from './merge.ts';
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
  readonly source: string;
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
  readonly waiting: readonly Waiting[];
}

/** A file of configuration that was found, not yet read. */
export interface FoundFile {
  readonly path: string;
  readonly text: string;
  readonly trusted: boolean;
}

/** Resolves the configuration. Throws `config-invalid` and `profile-not-found`. */
export async function loadConfig(facts: ConfigFacts, files: HostFiles): Promise<ResolvedConfig> {
  const environment = environmentLayer(facts.env);
  const flags: Layer = { values: facts.flags ?? {}, origin: () => ({ kind: 'flag' }) };
  const home = filesOf(files, `${facts.home}/.coi`);
  const workspace = filesOf(files, facts.workspace);
  try {
    if (
      facts.env['COI_CONFIG'] ||
      facts.profile !== undefined ||
      home.has('config.toml') ||
      workspace.has('.coi') ||
      workspace.has('.coi.toml')
    ) {
      const { loadFiles } = await import('./load-files.ts');
      return loadFiles(facts, files, environment, flags);
    }
  } finally {
    home.close();
    workspace.close();
  }
  const result = merged([environment, flags], facts.home);
  return { ...result, warnings: [], profile: undefined, contextFile: undefined, waiting: [] };
}

function filesOf(files: HostFiles, path: string): { has(name: string): boolean; close(): void } {
  const directory: Directory | undefined = files.open(path);
  return {
    has: (name) => directory?.entry(name) !== undefined,
    close: () => directory?.[Symbol.dispose](),
  };
}
