// Where agents write or could: a link in there is not the user's word, and must not lead out of what its agent had.
import type { App } from '../app.ts';
import { hostFiles } from '../host/files.ts';
import type { Reach } from '../host/read-within.ts';
import type { Instance } from '../incus/shapes.ts';
import { workspaceSource } from '../session/adopted.ts';
import { readAliases } from '../session/aliases.ts';
import { incusFailure } from '../session/failure.ts';
import { sessionRecord, writableSources } from '../session/record.ts';
import { storedSessions } from '../session/stored.ts';

/** The workspaces of sessions that are stored in the home, ended or not, and of aliases: each under its names. */
export function knownWorkspaces(home: string): string[][] {
  const stored = storedSessions({ home }, hostFiles).flatMap((entry) => {
    if (entry.kind !== 'saved') return [];
    const { workspace, realWorkspace } = entry.metadata;
    return [[workspace, realWorkspace].filter((path) => path !== undefined)];
  });
  const aliased = Object.values(readAliases(home, hostFiles)).map(({ workspace }) => [workspace]);
  return eachOnce([...stored, ...aliased]);
}

/** For what the user names on the command line and a container receives, or that it sends there. */
export async function agentPlaces(app: App, receiver: Pick<Instance, 'config'>): Promise<Reach> {
  const live = await everyInstance(app);
  return {
    writable: () => eachOnce([...live.map(writableIn), ...knownWorkspaces(app.user.home)]),
    shown: sessionRecord(receiver.config)?.mounts.mounts.map(({ source }) => source),
  };
}

/** Also of other users: root may name what lies in their workspaces. */
async function everyInstance(app: App): Promise<readonly Instance[]> {
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

function eachOnce(groups: readonly (readonly string[])[]): string[][] {
  const found = groups.filter((group) => group.length > 0).map((group) => [...group]);
  return [...new Map(found.map((group) => [JSON.stringify(group), group])).values()];
}
