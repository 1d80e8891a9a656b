// Search paths of a workspace's configuration.
import type { ConfigPaths } from '../config/config-paths.ts';
import { hostFiles } from '../host/fs/host-files.ts';
import { knownWorkspaces } from '../session/record/known-workspaces.ts';
import type { AppContext } from './context.ts';
import { readTreeOf } from './trees/tree-store.ts';

export function configPaths(
  { user, cwd, env }: Pick<AppContext, 'user' | 'cwd' | 'env'>,
  workspace: string,
): ConfigPaths {
  return {
    home: user.home,
    // An own tree is configured by the directory that it was made from.
    workspace: readTreeOf(user.home, workspace)?.record.repository ?? workspace,
    cwd,
    env,
    agentWorkspaces: () => knownWorkspaces(user.home, hostFiles),
  };
}
