// What findings cause: Incus is told, evidence is kept, the container ends, the owner is told.
import type { Libc } from '../../host/libc.ts';
import { runAs } from '../../host/run-as.ts';
import type { Incus } from '../../incus/client.ts';
import { type Alert, alertKeyName } from '../../monitor/alert.ts';
import { redacted } from '../../monitor/redact.ts';
import type { Threat } from '../../monitor/threat.ts';
import type { Log } from '../log.ts';
import type { Effects, WatchedSession } from './container-watch.ts';
import { keepEvidence } from './evidence.ts';

export interface EffectParts {
  readonly incus: Incus;
  readonly libc: Pick<Libc, 'account'>;
  readonly log: Log;
  readonly stateDir: string;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  /** Writes into the audit log of a session. */
  readonly note: (session: WatchedSession, evidence: Readonly<Record<string, unknown>>) => void;
}

const freezeLimitMs = 30_000;
const stopLimitMs = 60_000;
const notifyLimitMs = 10_000;

export function effectsOf(parts: EffectParts): Effects {
  const { log } = parts;
  const failed: Effects['failed'] = ({ name }, what, error) =>
    log('warning', 'monitor-failed', { name, what, error });
  /** Runs in the background; a failure is logged. */
  const background = (session: WatchedSession, what: string, work: () => Promise<void>) => {
    work().catch((error: unknown) => failed(session, what, error));
  };
  return {
    failed,
    paused: (session, cause) => {
      log('warning', 'paused', { name: session.name, title: cause.title });
      background(session, 'pause', () => tellIncusFrozen(parts, session));
      background(session, 'notify', () => notify(parts, session, cause, 'paused'));
    },
    kill: (session, cause, sample) => {
      log('warning', 'killing', { name: session.name, title: cause.title });
      background(session, 'kill', async () => {
        try {
          parts.note(session, await keepEvidence(parts, session, cause, sample));
        } catch (error) {
          // The attack goes on where the container does, so it ends even if nothing could be kept.
          failed(session, 'evidence', error);
        }
        await stop(parts, session);
      });
      background(session, 'notify', () => notify(parts, session, cause, 'killed'));
    },
    alert: (session, alert) =>
      background(session, 'alert', () => writeAlert(parts, session, alert)),
  };
}

/** The kernel has stopped its processes; this makes Incus know, and every program that asks Incus. */
async function tellIncusFrozen(
  { incus, signal }: EffectParts,
  { name }: WatchedSession,
): Promise<void> {
  const operation = await incus.changeState(name, { action: 'freeze' }, { signal });
  await operation.wait({ signal, timeoutMs: freezeLimitMs });
}

async function stop({ incus, signal, log }: EffectParts, { name }: WatchedSession): Promise<void> {
  const operation = await incus.changeState(
    name,
    { action: 'stop', force: true, timeout: 30 },
    { signal },
  );
  await operation.wait({ signal, timeoutMs: stopLimitMs });
  log('warning', 'killed', { name });
}

async function writeAlert(
  { incus, signal }: EffectParts,
  { name }: WatchedSession,
  alert: Alert,
): Promise<void> {
  await incus.updateInstance(
    name,
    { config: { [alertKeyName]: JSON.stringify(alert) } },
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
