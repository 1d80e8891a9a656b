// `user.coi.alert` of an instance: its worst finding, which `coi list` and `coi attach` can read without coid.
import { redacted } from './redact.ts';
import type { Action } from './respond.ts';
import { compareLevels, isAtLeast, type Level, type Threat } from './threat.ts';

export interface Alert {
  readonly level: Level;
  readonly title: string;
  readonly description: string;
  readonly time: string;
  readonly action: Action | 'unfrozen';
  /** The container is paused and will be killed then unless somebody resumes it. */
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

/** The alert after these findings; undefined if the instance needs no update. */
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
  // A milder finding must not hide a worse one; a repeated one is not news.
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

/** Parses the key; undefined if it is missing or invalid. */
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

/** The alert of a container with that status: one that runs has been resumed, even if its monitor has not noticed yet. */
export function alertNow(alert: Alert | undefined, status: string): Alert | undefined {
  return alert?.action === 'paused' && status === 'Running'
    ? { ...alert, action: 'unfrozen' }
    : alert;
}

/** The message for an attached user; undefined if none is needed. */
export function alertMessage(
  container: string,
  { action, title, description, killAt }: Alert,
): string | undefined {
  switch (action) {
    case 'paused': {
      const killNotice = killAt === undefined ? '' : ` It will be killed at ${killAt}.`;
      return `*** SECURITY: Container ${container} PAUSED - ${title}: ${description}${killNotice} Unfreeze with: coi unfreeze ${container} ***`;
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
