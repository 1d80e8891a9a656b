// Which container is meant: by its name, which a later container may get too, and by the id that only this one has.
import type { Instance } from '../../incus/shapes.ts';
import { sessionRecord } from './instance-record.ts';

/** Whatever acts on a container takes this and not a bare name: names are given out again. */
export interface ContainerRef {
  readonly name: string;
  /** Id of its mounts (`user.coi.mounts`); undefined for a container that coi did not make. */
  readonly mountsId: string | undefined;
  /** Of a container that coi did not make: Incus's own id of it. */
  readonly uuid?: string | undefined;
}

const uuidKey = 'volatile.uuid';

/** The container that was just seen. */
export function refOf({ name, config }: Pick<Instance, 'name' | 'config'>): ContainerRef {
  const mountsId = sessionRecord(config)?.mounts.id;
  return { name, mountsId, uuid: mountsId === undefined ? config[uuidKey] : undefined };
}

/** Whether what has that name now is the container that is meant. */
export function isMeant(
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
