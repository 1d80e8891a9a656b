// Loads the configuration of a workspace, to start a session or only to read it.

import type { ConfigPaths } from '../config/config-paths.ts';
import { loadConfig } from '../config/load.ts';
import type { ResolvedConfig } from '../config/resolved-config.ts';
import { hostFiles } from '../host/fs/host-files.ts';
import { pathFacts } from '../host/fs/path-facts.ts';
import type { WorkspacePath } from '../names.ts';
import { assertUsableWorkspace } from '../session/plan/workspace.ts';
import { configPaths } from './config-paths.ts';
import type { AppContext } from './context.ts';
import type { ConfigurationRequest } from './requests.ts';
import { resolveWorkspace } from './resolve-workspace.ts';

/** The configuration, overridden by the request. Throws `config-invalid`. */
export function loadRequestConfig(
  app: AppContext,
  request: ConfigurationRequest,
  workspace: WorkspacePath,
): Promise<ResolvedConfig> {
  const { profile, image, persistent, tool, network, settings } = request;
  return loadConfig(
    {
      ...configPaths(app, workspace),
      profile,
      flags: {
        ...settings,
        ...(image === undefined ? {} : { 'container.image': image }),
        ...(persistent === undefined ? {} : { 'container.persistent': persistent }),
        ...(tool === undefined ? {} : { 'tool.name': tool }),
        ...(network === undefined ? {} : { 'network.mode': network }),
      },
    },
    hostFiles,
  );
}

/** Selects the configuration to read. */
export interface ConfigScope {
  /** Relative to the current directory, which is the default. */
  readonly workspace?: string;
  readonly profile?: string | undefined;
}

/** The search paths of configuration files. */
export function configPathsFor(
  app: AppContext,
  { workspace: requested }: ConfigScope,
): ConfigPaths {
  const workspace = resolveWorkspace(app, requested);
  // A misspelled path has no configuration: report the path instead of the defaults.
  if (requested !== undefined) assertUsableWorkspace(workspace, pathFacts(workspace));
  return configPaths(app, workspace);
}

/** The configuration for commands that only read it. */
export function readConfig(app: AppContext, of: ConfigScope): Promise<ResolvedConfig> {
  return loadConfig({ ...configPathsFor(app, of), profile: of.profile }, hostFiles);
}
