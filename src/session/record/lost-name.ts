// A name that coid gave out and somebody else took in Incus before the create call came: another member of a cluster, or
// whoever calls a container as coi does. Incus's database is the lock, so the loser takes the next slot.
import type { Reservation } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import type { CallOptions, Incus } from '../../incus/client.ts';
import { isMeant } from './container-ref.ts';

export class LostName extends CoiError {
  constructor(name: string, cause: unknown) {
    super('slot-taken', `another container took the name ${name} just now`, {
      hint: 'Try again.',
      cause,
    });
  }
}

/** Incus says it in many words, so it is found by looking: that name is another's. Throws IncusError. */
export async function lostName(
  incus: Pick<Incus, 'instance'>,
  { container, id }: Pick<Reservation, 'container' | 'id'>,
  options?: CallOptions,
): Promise<boolean> {
  const found = await incus.instance(container, options);
  return found !== undefined && !isMeant({ name: container, mountsId: id }, found.instance);
}
