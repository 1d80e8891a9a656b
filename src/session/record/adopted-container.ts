// Containers with the prefix but without a session record: from `coi container launch`, the Go program, or created by hand. Pure.
import type { Instance } from '../../incus/shapes.ts';
import { keys } from '../../instance-keys.ts';

/** A host uid. `nobody`: there is no workspace (any more). `unknown`: only another user can see the workspace. */
export type Owner = number | 'nobody' | 'unknown';

export interface AdoptedInfo {
  readonly owner: Owner;
  readonly workspace: string | undefined;
  readonly alias: string | undefined;
  readonly slot: number | undefined;
  /** Also true if nothing says that it is ephemeral. */
  readonly persistent: boolean;
}

/** Information on this host about the container. */
export interface AdoptionSources {
  readonly ownerOf: (workspace: string) => Owner;
  /** From the saved session of that container; undefined if there is none. */
  readonly persistentOf: (container: string) => boolean | undefined;
}

export function adoptContainer(
  { name, config, devices }: Pick<Instance, 'name' | 'config' | 'devices'>,
  { ownerOf, persistentOf }: AdoptionSources,
): AdoptedInfo {
  const launchedBy = recordedOwner(config);
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

/** The uid recorded by `coi container launch`. */
export function recordedOwner(config: Instance['config']): number | undefined {
  const text = config[keys.owner] ?? '';
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

/** The host directory that the Go program mounted as the workspace. */
export function workspaceSource(devices: Instance['devices']): string | undefined {
  const { type, source } = devices['workspace'] ?? {};
  return type === 'disk' && source?.startsWith('/') ? source : undefined;
}

/** Whether an image is being built in it. */
export function isBuild({ config }: Pick<Instance, 'config'>): boolean {
  return config[keys.build] !== undefined;
}
