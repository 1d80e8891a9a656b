// Ids of the mounts of one container.
import { isUuid } from '../../names.ts';

/** Ids are UUIDs: nothing else becomes part of a path that root works on. */
export function isTreeId(id: string): boolean {
  return isUuid(id);
}
