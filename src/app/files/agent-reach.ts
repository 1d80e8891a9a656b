// Paths that agents can write: a link there may be the agent's, and must not lead out of what that agent can access.
import { hostFiles } from '../../host/fs/host-files.ts';
import type { LinkPolicy } from '../../host/fs/read-named-file.ts';
import type { Instance } from '../../incus/shapes.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { workspaceSource } from '../../session/record/adopted-container.ts';
import { sessionRecord, writableSources } from '../../session/record/instance-record.ts';
import { knownWorkspaces, uniqueGroups } from '../../session/record/known-workspaces.ts';
import type { AppContext } from '../context.ts';

/** For host paths of the command line that a container receives or is copied to. */
export async function agentReach(
  app: AppContext,
  receiver: Pick<Instance, 'config'>,
): Promise<LinkPolicy> {
  const live = await everyInstance(app);
  return {
    writable: () =>
      uniqueGroups([...live.map(writableIn), ...knownWorkspaces(app.user.home, hostFiles)]),
    shown: sessionRecord(receiver.config)?.mounts.mounts.map(({ source }) => source),
  };
}

/** Also of other users: root may name paths in their workspaces. */
async function everyInstance(app: AppContext): Promise<readonly Instance[]> {
  try {
    return await (await app.incus()).instances({ signal: app.signal });
  } catch (error) {
    throw incusFailure(error, 'looking for sessions failed');
  }
}

function writableIn(instance: Instance): string[] {
  if (sessionRecord(instance.config)) return writableSources([instance]);
  const workspace = workspaceSource(instance.devices);
  return workspace === undefined ? [] : [workspace];
}
