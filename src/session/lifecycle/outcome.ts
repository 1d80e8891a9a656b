// State of a session after its terminal closed: from Incus within a second, without fixed waits.
import type { EventStream, Incus } from '../../incus/client.ts';
import { sessionRecord } from '../record/instance-record.ts';
import { isIncusError } from './incus-failure.ts';

/** State of a container after the user's terminal closed. */
export type Outcome =
  | { readonly kind: 'running' }
  | { readonly kind: 'frozen' }
  /** Stopped, and kept because it is persistent. */
  | { readonly kind: 'kept' }
  /** Stopped and about to be deleted, or already deleted. */
  | { readonly kind: 'removed' }
  /** Deleted before the first check. */
  | { readonly kind: 'gone' }
  /** Incus does not answer; nothing was changed. */
  | { readonly kind: 'unknown' };

/** Maximum time until Incus reports the stop of a guest that is powering off. */
const stopMs = 60_000;
/** A rebooting guest shows as Stopped for about 0.3 s; longer means a stop whose event was missed. */
const rebootGapMs = 1500;

/**
 * Waits for the final state. `left`: the terminal was left normally (detached, or `exit`), so a running container stays
 * running; otherwise a stop or reboot will be reported soon. `reservation` distinguishes the container from a later one with
 * the same name; undefined for one that coi did not create.
 */
export async function containerOutcome(
  incus: Incus,
  name: string,
  reservation: string | undefined,
  left: boolean,
  signal: AbortSignal,
): Promise<Outcome> {
  try {
    const first = left ? await currentOutcome(incus, name, reservation) : undefined;
    if (first && !isStopped(first)) return first;
    return await watchOutcome(incus, name, reservation, signal);
  } catch (error) {
    if (isIncusError(error) && error.errno !== undefined) return { kind: 'unknown' };
    throw error;
  }
}

/** Subscribes, checks the state, and then waits for events, because the state is unreliable while a guest reboots. */
async function watchOutcome(
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
    const first = await currentOutcome(incus, name, reservation);
    if (first.kind === 'gone' || first.kind === 'frozen') return first;
    if (isStopped(first)) setTimeout(() => limit.abort(), rebootGapMs).unref();
    for await (const event of events) {
      if (event.type !== 'lifecycle' || event.instance !== name) continue;
      const { action } = event.metadata;
      if (action === 'instance-restarted') return { kind: 'running' };
      if (!/^instance-(shutdown|stopped|deleted|paused)$/.test(action)) continue;
      const now = await currentOutcome(incus, name, reservation);
      return now.kind === 'gone' ? { kind: 'removed' } : now;
    }
  } catch (error) {
    if (!limit.signal.aborted && !signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
    events.close();
  }
  return currentOutcome(incus, name, reservation);
}

/** Waits until the container is deleted; false on timeout or if the connection to Incus is lost. */
export async function waitUntilGone(
  incus: Incus,
  name: string,
  reservation: string | undefined,
  limitMs: number,
): Promise<boolean> {
  const signal = AbortSignal.timeout(limitMs);
  const events = incus.events(['lifecycle'], { signal });
  try {
    await events.ready;
    if ((await currentOutcome(incus, name, reservation)).kind === 'gone') return true;
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

function isStopped(outcome: Outcome): boolean {
  return outcome.kind === 'kept' || outcome.kind === 'removed';
}

async function currentOutcome(
  incus: Incus,
  name: string,
  reservation: string | undefined,
): Promise<Outcome> {
  const found = await incus.instance(name);
  const record = found && sessionRecord(found.instance.config);
  if (!found || record?.mounts.id !== reservation) return { kind: 'gone' };
  switch (found.instance.status) {
    case 'Stopped':
    case 'Error':
      // coi does not delete containers that it did not create.
      return { kind: (record?.persistent ?? true) ? 'kept' : 'removed' };
    case 'Frozen':
    case 'Freezing':
      return { kind: 'frozen' };
    default:
      return { kind: 'running' };
  }
}
