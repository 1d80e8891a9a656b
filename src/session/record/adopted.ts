// Containers with the prefix and no record of a session: of `coi container launch`, of the Go program, or made by hand. Pure.
import type { Instance } from '../../incus/shapes.ts';
import { keys } from '../../instance-keys.ts';

/** A uid of the host; nobody's has no workspace (any more), and of an unknown one only another user can see the workspace. */
export type Owner = number | 'nobody' | 'unknown';

export interface Adopted {
  readonly owner: Owner;
  readonly workspace: string | undefined;
  readonly alias: string | undefined;
  readonly slot: number | undefined;
  /** Also where nothing says that it may go. */
  readonly persistent: boolean;
}

/** What is found on this host beside the container. */
export interface Beside {
  readonly ownerOf: (workspace: string) => Owner;
  /** By the saved session of that container; undefined where none is known. */
  readonly persistentOf: (container: string) => boolean | undefined;
}

export function adopted(
  { name, config, devices }: Pick<Instance, 'name' | 'config' | 'devices'>,
  { ownerOf, persistentOf }: Beside,
): Adopted {
  const launchedBy = keyedOwner(config);
  const workspace = workspaceSource(devices);
  const kept = config[keys.persistent];
  return {
    owner: launchedBy ?? (workspace === undefined ? 'nobody' : ownerOf(workspace)),
    workspace,
    alias: config[keys.alias] || undefined,
    slot: Number(/-(\d{1,2})$/.exec(name)?.[1]) || undefined,
    persistent:
      kept === undefined
        ? (persistentOf(name) ?? (launchedBy === undefined || workspace !== undefined))
        : kept === 'true',
  };
}

/** The uid that `coi container launch` wrote down. */
export function keyedOwner(config: Instance['config']): number | undefined {
  const text = config[keys.owner] ?? '';
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

/** The directory of the host that the Go program mounted as workspace. */
export function workspaceSource(devices: Instance['devices']): string | undefined {
  const { type, source } = devices['workspace'] ?? {};
  return type === 'disk' && source?.startsWith('/') ? source : undefined;
}

/** Whether somebody builds an image in it just now. */
export function isBuild({ config }: Pick<Instance, 'config'>): boolean {
  return config[keys.build] !== undefined;
}
