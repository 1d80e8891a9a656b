// What this host knows of containers that are no sessions of this program: whose their workspaces are, and what was saved of them.
import { ownerOfPath } from '../host/fs/path-facts.ts';
import type { Instance } from '../incus/shapes.ts';
import type { Beside, Owner } from '../session/record/adopted.ts';
import { type Container, coiContainers, sessionRecord } from '../session/record/instance-record.ts';
import type { AppContext } from './context.ts';

/** Those of `owner` (undefined: of everybody) and nobody's. Most hosts have sessions only, and then nothing is looked up. */
export async function coiContainersBeside(
  app: AppContext,
  instances: readonly Instance[],
  owner: number | undefined,
): Promise<Container[]> {
  const { prefix } = app;
  const isOther = ({ name, config }: Instance) => name.startsWith(prefix) && !sessionRecord(config);
  const beside = instances.some(isOther) ? await besideFor(app) : undefined;
  return coiContainers(instances, prefix, owner, beside);
}

/** The stores are read when there is a container to look up, and once. */
export async function besideFor(app: AppContext): Promise<Beside> {
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
