// The configuration of a workspace, for what starts a session and for what only looks.
import { loadConfig } from '../config/load.ts';
import type { Places } from '../config/places.ts';
import type { ResolvedConfig } from '../config/resolved-config.ts';
import { hostFiles } from '../host/fs/host-files.ts';
import { pathFacts } from '../host/fs/path-facts.ts';
import type { WorkspacePath } from '../names.ts';
import { usableWorkspace } from '../session/plan/workspace.ts';
import { answeringWorkspace } from './answering-workspace.ts';
import type { AppContext } from './context.ts';
import { placesIn } from './places.ts';
import type { ConfigurationRequest } from './requests.ts';

/** With what the request puts before it. Throws `config-invalid`. */
export function config(
  app: AppContext,
  request: ConfigurationRequest,
  workspace: WorkspacePath,
): Promise<ResolvedConfig> {
  const { profile, image, persistent, tool, network, settings } = request;
  return loadConfig(
    {
      ...placesIn(app, workspace),
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

/** Whose configuration is looked at. */
export interface ConfigurationOf {
  /** Relative to the current directory, which it is by default. */
  readonly workspace?: string;
  readonly profile?: string | undefined;
}

/** Where the files of configuration are looked for. */
export function placesOf(app: AppContext, { workspace: asked }: ConfigurationOf): Places {
  const workspace = answeringWorkspace(app, asked);
  // One that was misspelt has no configuration either, which is not what was asked.
  if (asked !== undefined) usableWorkspace(workspace, pathFacts(workspace));
  return placesIn(app, workspace);
}

/** The configuration for commands that only look at it. */
export function lookedUpConfig(app: AppContext, of: ConfigurationOf): Promise<ResolvedConfig> {
  return loadConfig({ ...placesOf(app, of), profile: of.profile }, hostFiles);
}
