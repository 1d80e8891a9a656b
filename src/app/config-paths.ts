// Search paths of a workspace's configuration.
import type { ConfigPaths } from '../config/config-paths.ts';
import { hostFiles } from '../host/fs/host-files.ts';
import { knownWorkspaces } from '../session/record/known-workspaces.ts';
import type { AppContext } from './context.ts';

export function configPaths(
  { user, cwd, env }: Pick<AppContext, 'user' | 'cwd' | 'env'>,
  workspace: string,
): ConfigPaths {
  return {
    home: user.home,
    workspace,
    cwd,
    env,
    agentWorkspaces: () => knownWorkspaces(user.home, hostFiles),
  };
}
