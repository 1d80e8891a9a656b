// Facts about containers that are not sessions of this program: the owners of their workspaces, and their saved sessions.
import { ownerOfPath } from '../host/fs/path-facts.ts';
import type { Instance } from '../incus/shapes.ts';
import type { AdoptionSources, Owner } from '../session/record/adopted-container.ts';
import { type Container, coiContainers, sessionRecord } from '../session/record/instance-record.ts';
import type { AppContext } from './context.ts';

/** Containers of `owner` (undefined: of all users) and without an owner. Looks nothing up if all of them are sessions. */
export async function listCoiContainers(
  app: AppContext,
  instances: readonly Instance[],
  owner: number | undefined,
): Promise<Container[]> {
  const { prefix } = app;
  const isOther = ({ name, config }: Instance) => name.startsWith(prefix) && !sessionRecord(config);
  const adoption = instances.some(isOther) ? await loadAdoptionSources(app) : undefined;
  return coiContainers(instances, prefix, owner, adoption);
}

/** Reads the session stores once, for the first container that is looked up. */
export async function loadAdoptionSources(app: AppContext): Promise<AdoptionSources> {
  const [{ hostFiles }, { storedSessions }] = await Promise.all([
    import('../host/fs/host-files.ts'),
    import('../session/store/saved-sessions.ts'),
  ]);
  let saved: Map<string, boolean> | undefined;
  const read = () => {
    const newestFirst = storedSessions({ home: app.user.home }, hostFiles);
    return new Map(
      newestFirst
        .flatMap((entry) => (entry.kind === 'saved' ? [entry.metadata] : []))
        .map(({ container, persistent }): [string, boolean] => [container, persistent])
        .reverse(),
    );
  };
  return {
    ownerOf: workspaceOwner,
    persistentOf: (container) => {
      saved ??= read();
      return saved.get(container);
    },
  };
}

export function workspaceOwner(workspace: string): Owner {
  const owner = ownerOfPath(workspace);
  if (typeof owner === 'number') return owner;
  return owner === 'missing' ? 'nobody' : 'unknown';
}
