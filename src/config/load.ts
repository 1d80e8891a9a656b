// The effective configuration of one command: defaults, files, profile, environment and flags, each value with its origin.
// Without files this costs a few failed opens; the TOML parser and the rest are loaded only if there is a file.
import type { HostFiles } from '../host/fs/host-files.ts';
import { environmentLayer } from './environment.ts';
import { mergeLayers } from './merge.ts';
import { oldConfigFiles } from './migrate.ts';
import type { Layer } from './origin.ts';
import type { ConfigFacts, ResolvedConfig } from './resolved-config.ts';

/** Resolves the configuration. Throws `config-invalid` and `profile-not-found`. */
export async function loadConfig(facts: ConfigFacts, files: HostFiles): Promise<ResolvedConfig> {
  const environment = environmentLayer(facts.env);
  const flags: Layer = { values: facts.flags ?? {}, origin: () => ({ kind: 'flag' }) };
  if (hasFiles(facts, files)) {
    const { loadFiles } = await import('./load-files.ts');
    return loadFiles(facts, files, environment, flags);
  }
  const result = mergeLayers([environment, flags], facts.home);
  return {
    ...result,
    warnings: [],
    profile: undefined,
    contextFile: undefined,
    waiting: [],
    untrusted: [],
  };
}

/** Whether there is any file to read; kept cheap. */
function hasFiles({ home, workspace, env, profile }: ConfigFacts, files: HostFiles): boolean {
  return (
    Boolean(env['COI_CONFIG']) ||
    profile !== undefined ||
    [
      `${home}/.coi/config.toml`,
      `${workspace}/.coi`,
      ...oldConfigFiles(home, workspace).map(({ path }) => path),
    ].some(files.exists)
  );
}
