// Where agents write or could: a link in there is not the user's word, and must not lead out of what its agent had.
import { hostFiles } from '../../host/fs/host-files.ts';
import type { Reach } from '../../host/fs/read-within.ts';
import type { Instance } from '../../incus/shapes.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { workspaceSource } from '../../session/record/adopted.ts';
import { sessionRecord, writableSources } from '../../session/record/instance-record.ts';
import { eachOnce, knownWorkspaces } from '../../session/record/known-workspaces.ts';
import type { AppContext } from '../context.ts';

/** For what the user names on the command line and a container receives, or that it sends there. */
export async function agentPlaces(
  app: AppContext,
  receiver: Pick<Instance, 'config'>,
): Promise<Reach> {
  const live = await everyInstance(app);
  return {
    writable: () =>
      eachOnce([...live.map(writableIn), ...knownWorkspaces(app.user.home, hostFiles)]),
    shown: sessionRecord(receiver.config)?.mounts.mounts.map(({ source }) => source),
  };
}

/** Also of other users: root may name what lies in their workspaces. */
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
