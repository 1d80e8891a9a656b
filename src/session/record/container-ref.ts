// References to containers: by name, which a later container may reuse, and by unique id.
import type { Instance } from '../../incus/shapes.ts';
import { sessionRecord } from './instance-record.ts';

/** Functions that change a container take this instead of a name, because names are reused. */
export interface ContainerRef {
  readonly name: string;
  /** Id of its mounts (`user.coi.mounts`); undefined for a container that coi did not create. */
  readonly mountsId: string | undefined;
  /** Incus's id, for a container that coi did not create. */
  readonly uuid?: string | undefined;
}

const uuidKey = 'volatile.uuid';

/** A reference to that instance. */
export function refOf({ name, config }: Pick<Instance, 'name' | 'config'>): ContainerRef {
  const mountsId = sessionRecord(config)?.mounts.id;
  return { name, mountsId, uuid: mountsId === undefined ? config[uuidKey] : undefined };
}

/** Whether an instance is the referenced container. */
export function matchesRef(
  { name, mountsId, uuid }: ContainerRef,
  instance: Pick<Instance, 'name' | 'config'>,
): boolean {
  const { config } = instance;
  return (
    instance.name === name &&
    sessionRecord(config)?.mounts.id === mountsId &&
    (uuid === undefined || config[uuidKey] === uuid)
  );
}
