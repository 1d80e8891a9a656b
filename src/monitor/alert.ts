// `user.coi.alert` of an instance: the worst that its monitor found, where `coi list` and `coi attach` see it without asking anybody.
import { redacted } from './redact.ts';
import type { Action } from './respond.ts';
import { compareLevels, isAtLeast, type Level, type Threat } from './threat.ts';

export interface Alert {
  readonly level: Level;
  readonly title: string;
  readonly description: string;
  readonly time: string;
  readonly action: Action | 'unfrozen';
  /** Paused, and killed then unless somebody lets go of it. */
  readonly killAt?: string;
}

const levels: readonly string[] = ['info', 'warning', 'high', 'critical'];
const actions: readonly string[] = [
  'logged',
  'alerted',
  'paused',
  'killed',
  'logged (already paused)',
  'deduplicated',
  'suppressed',
  'unfrozen',
];

/** The alert after these findings; undefined where nothing new has to be written on the instance. */
export function nextAlert(
  current: Alert | undefined,
  entries: readonly { readonly threat: Threat; readonly action: Action }[],
  time: string,
): Alert | undefined {
  const fresh = entries.filter(
    ({ threat, action }) =>
      isAtLeast(threat.level, 'warning') && action !== 'deduplicated' && action !== 'suppressed',
  );
  const worst = fresh.toSorted((one, other) =>
    compareLevels(other.threat.level, one.threat.level),
  )[0];
  if (!worst) return undefined;
  const { level, title, description } = worst.threat;
  // A milder finding does not hide a worse one; the same again is no news.
  if (
    current &&
    (compareLevels(level, current.level) < 0 ||
      (current.title === title && current.action === worst.action))
  )
    return undefined;
  return {
    level,
    title: redacted(title),
    description: redacted(description),
    time,
    action: worst.action,
  };
}

/** Reads the key; undefined where there is none or it cannot be read. */
export function parseAlert(text: string | undefined): Alert | undefined {
  if (text === undefined || text === '') return undefined;
  try {
    const value = JSON.parse(text) as Partial<Alert> | null;
    if (
      typeof value?.title !== 'string' ||
      typeof value.description !== 'string' ||
      typeof value.time !== 'string'
    )
      return undefined;
    if (!levels.includes(value.level ?? '') || !actions.includes(value.action ?? ''))
      return undefined;
    return value as Alert;
  } catch {
    return undefined;
  }
}

/** The alert of a container in that state: one that runs was let go, even where its monitor has not seen it yet. */
export function alertNow(alert: Alert | undefined, status: string): Alert | undefined {
  return alert?.action === 'paused' && status === 'Running'
    ? { ...alert, action: 'unfrozen' }
    : alert;
}

/** What is told to whoever is attached; undefined for what needs no word there. */
export function alertMessage(
  container: string,
  { action, title, description, killAt }: Alert,
): string | undefined {
  switch (action) {
    case 'paused': {
      const doom = killAt === undefined ? '' : ` It will be killed at ${killAt}.`;
      return `*** SECURITY: Container ${container} PAUSED - ${title}: ${description}${doom} Unfreeze with: coi unfreeze ${container} ***`;
    }
    case 'killed':
      return `*** SECURITY: Container ${container} KILLED - ${title}: ${description} See: coi audit ${container} ***`;
    case 'alerted':
      return `*** SECURITY: Container ${container} - ${title}: ${description} ***`;
    default:
      return undefined;
  }
}

/** One line for a person, such as `PAUSED: Reverse shell`. */
export function alertLine(alert: Alert): string {
  const what =
    { paused: 'PAUSED', killed: 'KILLED', unfrozen: 'unfrozen after' }[alert.action as string] ??
    alert.level.toUpperCase();
  return `${what}: ${alert.title}`;
}
