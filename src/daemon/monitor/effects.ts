// What findings cause: Incus is told, evidence is kept, the container ends, the owner is told.
import { setTimeout as delay } from 'node:timers/promises';
import type { Libc } from '../../host/linux/libc.ts';
import { runAs } from '../../host/process/run-as.ts';
import type { Incus } from '../../incus/client.ts';
import type { InstanceStatus, StateChange } from '../../incus/shapes.ts';
import { keys } from '../../instance-keys.ts';
import type { Alert } from '../../monitor/alert.ts';
import { redacted } from '../../monitor/redact.ts';
import type { Threat } from '../../monitor/threat.ts';
import {
  type ContainerRef,
  changeState,
  findMeant,
  updateContainer,
} from '../../session/record/change-instance.ts';
import type { Log } from '../log.ts';
import type { Stuck } from '../reconcile/stuck.ts';
import type { Effects, WatchedSession } from './container-watch.ts';
import { keepEvidence } from './evidence.ts';

export interface EffectParts {
  /** It could not be killed. */
  readonly survived: (session: WatchedSession) => void;
  readonly incus: Incus;
  readonly libc: Pick<Libc, 'account'>;
  readonly log: Log;
  readonly stateDir: string;
  readonly program: readonly string[];
  readonly now: () => Date;
  readonly signal: AbortSignal;
  /** For one that does not end by force. */
  readonly stuck?: Pick<Stuck, 'whileWaiting'> | undefined;
  /** Writes into the audit log of a session. */
  readonly note: (session: WatchedSession, evidence: Readonly<Record<string, unknown>>) => void;
}

const changeLimitMs = 60_000;
const notifyLimitMs = 10_000;
const triesMax = 20;
const againMs = 300;

export function effectsOf(parts: EffectParts): Effects {
  const { log } = parts;
  const failed: Effects['failed'] = ({ name }, what, error) =>
    log('warning', 'monitor-failed', { name, what, error });
  const queues = new Map<string, Promise<void>>();
  /** Runs in the background, one after the other for each container: Incus refuses a stop during an update. */
  const inTurn = (session: WatchedSession, what: string, work: () => Promise<void>) => {
    const queued = (queues.get(session.name) ?? Promise.resolve())
      .then(work)
      .catch((error: unknown) => failed(session, what, error))
      .finally(() => {
        if (queues.get(session.name) === queued) queues.delete(session.name);
      });
    queues.set(session.name, queued);
  };
  const tellOwner = (session: WatchedSession, cause: Threat, action: 'paused' | 'killed') => {
    notify(parts, session, cause, action).catch((error: unknown) =>
      failed(session, 'notify', error),
    );
  };
  return {
    failed,
    paused: (session, cause) => {
      log('warning', 'paused', { name: session.name, title: cause.title });
      inTurn(session, 'pause', () => tellIncusFrozen(parts, session));
      tellOwner(session, cause, 'paused');
    },
    keep: (session, cause, sample) =>
      inTurn(session, 'evidence', async () =>
        parts.note(session, await keepEvidence(parts, session, cause, sample)),
      ),
    // The attack goes on where the container does, so it ends even if nothing could be kept before.
    kill: (session, cause) => {
      log('warning', 'killing', { name: session.name, title: cause.title });
      inTurn(session, 'kill', () =>
        stop(parts, session).catch((error: unknown) => {
          parts.survived(session);
          throw error;
        }),
      );
      tellOwner(session, cause, 'killed');
    },
    alert: (session, alert) => inTurn(session, 'alert', () => writeAlert(parts, session, alert)),
  };
}

/** The kernel has stopped its processes; this makes Incus know, and every program that asks Incus. */
function tellIncusFrozen(parts: EffectParts, session: WatchedSession): Promise<void> {
  return insist(parts, refOfWatched(session), { action: 'freeze' }, ['Frozen', 'Stopped']);
}

async function stop(parts: EffectParts, session: WatchedSession): Promise<void> {
  const change = { action: 'stop', force: true, timeout: 30 } as const;
  const ref = refOfWatched(session);
  const ending = insist(parts, ref, change, ['Stopped']);
  await (parts.stuck?.whileWaiting(ref, ending) ?? ending);
  parts.log('warning', 'killed', { name: session.name });
}

/** Tries again while somebody else's operation is in the way: what a failure means is found by looking. Done when it is gone. */
export async function insist(
  { incus, signal }: Pick<EffectParts, 'incus' | 'signal'>,
  ref: ContainerRef,
  change: StateChange,
  reached: readonly InstanceStatus[],
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      const operation = await changeState(incus, ref, change, { signal });
      await operation.wait({ signal, timeoutMs: changeLimitMs });
      return;
    } catch (error) {
      const found = await findMeant(incus, ref, { signal });
      if (!found || reached.includes(found.instance.status)) return;
      if (tries === triesMax) throw error;
      await delay(againMs, undefined, { signal });
    }
  }
}

function refOfWatched({ name, mounts }: WatchedSession): ContainerRef {
  return { name, mountsId: mounts };
}

async function writeAlert(
  { incus, signal }: EffectParts,
  session: WatchedSession,
  alert: Alert,
): Promise<void> {
  await updateContainer(
    incus,
    refOfWatched(session),
    { config: { [keys.alert]: JSON.stringify(alert) } },
    { signal },
  );
}

/** `[notify] command`, as the owner, never as root for others; what happened is in its environment and on its stdin. */
async function notify(
  { libc, log, now }: EffectParts,
  { name, owner, settings }: WatchedSession,
  { level, title, description }: Threat,
  action: 'paused' | 'killed',
): Promise<void> {
  const account = libc.account(owner);
  if (settings.notify.length === 0 || !account) return;
  const event = {
    container: name,
    level,
    action,
    title: redacted(title),
    description: redacted(description),
    time: now().toISOString(),
  };
  const status = await runAs({
    argv: settings.notify,
    user: account,
    environment: {
      COI_CONTAINER: name,
      COI_LEVEL: level,
      COI_ACTION: action,
      COI_TITLE: event.title,
      COI_DESCRIPTION: event.description,
    },
    input: `${JSON.stringify(event)}\n`,
    limitMs: notifyLimitMs,
  });
  log(status === 0 ? 'info' : 'warning', 'notified', { name, status });
}
