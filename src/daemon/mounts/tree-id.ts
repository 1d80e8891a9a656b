// Ids of a container's mount tree.
import { isUuid } from '../../names.ts';

/** Only UUIDs may become part of a path that root works on. */
export function isTreeId(id: string): boolean {
  return isUuid(id);
}
