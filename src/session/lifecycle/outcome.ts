// What became of a session when its terminal closed: told by Incus within a second, without fixed waits.
import type { EventStream, Incus } from '../../incus/client.ts';
import { sessionRecord } from '../record/instance-record.ts';
import { isIncusError } from './incus-failure.ts';

/** How a container is, after the user's terminal left it. */
export type Outcome =
  | { readonly kind: 'running' }
  | { readonly kind: 'frozen' }
  /** Stopped and kept, because it is persistent. */
  | { readonly kind: 'kept' }
  /** Stopped and about to be deleted, or deleted since. */
  | { readonly kind: 'removed' }
  /** Deleted before we looked. */
  | { readonly kind: 'gone' }
  /** Incus does not answer: nothing is known and nothing was touched. */
  | { readonly kind: 'unknown' };

/** A guest that is powering off takes this long at most until Incus reports the stop. */
const stopMs = 60_000;
/** A guest that reboots shows as Stopped for about 0.3 s; longer is a stop whose event we missed. */
const rebootGapMs = 1500;

/**
 * Watches how the container ends. `left` says that the terminal was left in good order (detached, or `exit`), so
 * that a running container is one that goes on; otherwise a stop or a reboot is about to be reported.
 * `reservation` tells this container from a later one of the same name; undefined for one that coi did not make.
 */
export async function outcomeOf(
  incus: Incus,
  name: string,
  reservation: string | undefined,
  left: boolean,
  signal: AbortSignal,
): Promise<Outcome> {
  try {
    const first = left ? await look(incus, name, reservation) : undefined;
    if (first && !stopped(first)) return first;
    return await watched(incus, name, reservation, signal);
  } catch (error) {
    if (isIncusError(error) && error.errno !== undefined) return { kind: 'unknown' };
    throw error;
  }
}

/** Subscribes, looks, and then lets the events decide: what the state says while a guest reboots is not to be trusted. */
async function watched(
  incus: Incus,
  name: string,
  reservation: string | undefined,
  signal: AbortSignal,
): Promise<Outcome> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), stopMs);
  const events: EventStream = incus.events(['lifecycle'], {
    signal: AbortSignal.any([signal, limit.signal]),
  });
  try {
    await events.ready;
    const first = await look(incus, name, reservation);
    if (first.kind === 'gone' || first.kind === 'frozen') return first;
    if (stopped(first)) setTimeout(() => limit.abort(), rebootGapMs).unref();
    for await (const event of events) {
      if (event.type !== 'lifecycle' || event.instance !== name) continue;
      const { action } = event.metadata;
      if (action === 'instance-restarted') return { kind: 'running' };
      if (!/^instance-(shutdown|stopped|deleted|paused)$/.test(action)) continue;
      const now = await look(incus, name, reservation);
      return now.kind === 'gone' ? { kind: 'removed' } : now;
    }
  } catch (error) {
    if (!limit.signal.aborted && !signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
    events.close();
  }
  return look(incus, name, reservation);
}

/** Waits until the container is deleted: true, or false when the limit is over or Incus is lost. */
export async function goneWithin(
  incus: Incus,
  name: string,
  reservation: string | undefined,
  limitMs: number,
): Promise<boolean> {
  const signal = AbortSignal.timeout(limitMs);
  const events = incus.events(['lifecycle'], { signal });
  try {
    await events.ready;
    if ((await look(incus, name, reservation)).kind === 'gone') return true;
    for await (const event of events) {
      if (event.type !== 'lifecycle' || event.metadata.action !== 'instance-deleted') continue;
      if (event.instance === name) return true;
    }
    return false;
  } catch (error) {
    if (signal.aborted || isIncusError(error)) return false;
    throw error;
  } finally {
    events.close();
  }
}

function stopped(outcome: Outcome): boolean {
  return outcome.kind === 'kept' || outcome.kind === 'removed';
}

async function look(incus: Incus, name: string, reservation: string | undefined): Promise<Outcome> {
  const found = await incus.instance(name);
  const record = found && sessionRecord(found.instance.config);
  if (!found || record?.mounts.id !== reservation) return { kind: 'gone' };
  switch (found.instance.status) {
    case 'Stopped':
    case 'Error':
      // What coi did not make it does not delete.
      return { kind: (record?.persistent ?? true) ? 'kept' : 'removed' };
    case 'Frozen':
    case 'Freezing':
      return { kind: 'frozen' };
    default:
      return { kind: 'running' };
  }
}
