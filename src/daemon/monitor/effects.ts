// Effects of findings: freezes the container in Incus, saves evidence, stops the container, notifies the owner.
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
  findByRef,
  updateContainer,
} from '../../session/record/change-instance.ts';
import type { Log } from '../log.ts';
import type { StuckContainers } from '../reconcile/stuck.ts';
import type { Effects, WatchedSession } from './container-watch.ts';
import { keepEvidence } from './evidence.ts';

export interface EffectParts {
  /** Called if a container could not be killed. */
  readonly killFailed: (session: WatchedSession) => void;
  readonly incus: Incus;
  readonly libc: Pick<Libc, 'account'>;
  readonly log: Log;
  readonly stateDir: string;
  readonly program: readonly string[];
  readonly now: () => Date;
  readonly signal: AbortSignal;
  /** For a container that a forced stop does not end. */
  readonly stuck?: Pick<StuckContainers, 'whileWaiting'> | undefined;
  /** Writes to the session's audit log. */
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
  /** Runs in the background, one at a time per container: Incus refuses a stop during an update. */
  const inTurn = (session: WatchedSession, what: string, work: () => Promise<void>) => {
    const queued = (queues.get(session.name) ?? Promise.resolve())
      .then(work)
      .catch((error: unknown) => failed(session, what, error))
      .finally(() => {
        if (queues.get(session.name) === queued) queues.delete(session.name);
      });
    queues.set(session.name, queued);
  };
  const notifyOwner = (session: WatchedSession, cause: Threat, action: 'paused' | 'killed') => {
    notify(parts, session, cause, action).catch((error: unknown) =>
      failed(session, 'notify', error),
    );
  };
  return {
    failed,
    paused: (session, cause) => {
      log('warning', 'paused', { name: session.name, title: cause.title });
      inTurn(session, 'pause', () => freezeInIncus(parts, session));
      notifyOwner(session, cause, 'paused');
    },
    saveEvidence: (session, cause, sample) =>
      inTurn(session, 'evidence', async () =>
        parts.note(session, await keepEvidence(parts, session, cause, sample)),
      ),
    // The container must stop even if saving evidence failed.
    kill: (session, cause) => {
      log('warning', 'killing', { name: session.name, title: cause.title });
      inTurn(session, 'kill', () =>
        stopContainer(parts, session).catch((error: unknown) => {
          parts.killFailed(session);
          throw error;
        }),
      );
      notifyOwner(session, cause, 'killed');
    },
    alert: (session, alert) => inTurn(session, 'alert', () => writeAlert(parts, session, alert)),
  };
}

/** The processes are frozen already; this updates the status in Incus. */
function freezeInIncus(parts: EffectParts, session: WatchedSession): Promise<void> {
  return changeStateWithRetry(parts, refOfWatched(session), { action: 'freeze' }, [
    'Frozen',
    'Stopped',
  ]);
}

async function stopContainer(parts: EffectParts, session: WatchedSession): Promise<void> {
  const change = { action: 'stop', force: true, timeout: 30 } as const;
  const ref = refOfWatched(session);
  const ending = changeStateWithRetry(parts, ref, change, ['Stopped']);
  await (parts.stuck?.whileWaiting(ref, ending) ?? ending);
  parts.log('warning', 'killed', { name: session.name });
}

/** Retries while another operation is in the way, until the instance has a status in `reached` or is gone. */
export async function changeStateWithRetry(
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
      const found = await findByRef(incus, ref, { signal });
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

/** Runs `[notify] command` as the owner, with the finding in its environment and on stdin. */
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
