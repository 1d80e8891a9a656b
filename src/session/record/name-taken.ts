// A name that coid assigned but somebody else took in Incus before the create call: another cluster member, or a user who
// names a container like coi does. Incus's database is the lock; the loser takes the next slot.
import type { Reservation } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import type { CallOptions, Incus } from '../../incus/client.ts';
import { matchesRef } from './container-ref.ts';

export class NameTaken extends CoiError {
  constructor(name: string, cause: unknown) {
    super('slot-taken', `another container took the name ${name} just now`, {
      hint: 'Try again.',
      cause,
    });
  }
}

/** Whether another container has the name. Incus's messages for this vary, so the name is looked up. Throws IncusError. */
export async function isNameTaken(
  incus: Pick<Incus, 'instance'>,
  { container, id }: Pick<Reservation, 'container' | 'id'>,
  options?: CallOptions,
): Promise<boolean> {
  const found = await incus.instance(container, options);
  return found !== undefined && !matchesRef({ name: container, mountsId: id }, found.instance);
}
