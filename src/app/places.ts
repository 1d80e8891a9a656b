// Where the configuration of a workspace is looked for.
import type { Places } from '../config/places.ts';
import { hostFiles } from '../host/fs/host-files.ts';
import { knownWorkspaces } from '../session/record/known-workspaces.ts';
import type { AppContext } from './context.ts';

export function placesIn(
  { user, cwd, env }: Pick<AppContext, 'user' | 'cwd' | 'env'>,
  workspace: string,
): Places {
  return {
    home: user.home,
    workspace,
    cwd,
    env,
    workedIn: () => knownWorkspaces(user.home, hostFiles),
  };
}
