// The part of load.ts that reads files.
import type { HostFiles } from '../host/files.ts';
import type { ConfigFacts, ResolvedConfig } from './load.ts';
import { merged } from './merge.ts';
import type { Layer } from './origin.ts';

/** Thin for now: files are not read yet. */
export function loadFiles(
  facts: ConfigFacts,
  _files: HostFiles,
  environment: Layer,
  flags: Layer,
): ResolvedConfig {
  const result = merged([environment, flags], facts.home);
  return { ...result, warnings: [], profile: facts.profile, contextFile: undefined, waiting: [] };
}
