// An activity in a word, and as JSON. Pure.
import type { Activity, Ask } from './activity.ts';

/** For a column: `working`, `asks`, `idle`, … */
export function activityWord(activity: Activity): string {
  switch (activity.kind) {
    case 'idle':
      return activity.why === 'failed' ? 'idle (failed)' : 'idle';
    case 'unknown':
      // The container runs, and more is not known of most agents.
      return { starting: 'starting', 'no-signal': 'running' }[activity.why as string] ?? 'unknown';
    case 'paused':
      return activity.by === 'monitor' ? 'paused (monitor)' : 'paused';
    default:
      return activity.kind;
  }
}

/** What it asks, in one line; empty if it asks nothing. */
export function asksLine(activity: Activity): string {
  if (activity.kind !== 'asks') return '';
  const [first, ...more] = activity.asks;
  if (!first) return '';
  const about = first.kind === 'question' ? '' : (first.body?.split('\n')[0] ?? '');
  const line = about === '' ? first.title : `${first.title}: ${about}`;
  return more.length === 0 ? line : `${line} (+${more.length})`;
}

/** `idle (finished)`, `asks: Which colour?`. */
export function activityLine(activity: Activity): string {
  if (activity.kind === 'asks') return `asks: ${asksLine(activity)}`;
  if (activity.kind === 'idle' || activity.kind === 'unknown')
    return `${activity.kind} (${activity.why})`;
  return activityWord(activity);
}

export function activityJson(activity: Activity): Readonly<Record<string, unknown>> {
  return {
    status: activity.kind,
    ...('sinceMs' in activity &&
      activity.sinceMs !== undefined && { since: isoTime(activity.sinceMs) }),
    ...('why' in activity && { why: activity.why }),
    ...('said' in activity && { said: activity.said }),
    ...(activity.kind === 'exited' &&
      activity.status !== undefined && { exit_status: activity.status }),
    ...(activity.kind === 'paused' && { by: activity.by, reason: activity.reason ?? '' }),
    asks: activity.kind === 'asks' ? activity.asks.map(askJson) : [],
  };
}

function askJson({ id, kind, title, body, truncated, options, subAgent }: Ask): unknown {
  return {
    id,
    kind,
    title,
    body: body ?? '',
    truncated: truncated ?? false,
    options: options.map(({ id, label, note }) => ({ id, label, note: note ?? '' })),
    sub_agent: subAgent ?? false,
  };
}

/** The time comes from the container: it may be any number. */
function isoTime(ms: number): string {
  const time = new Date(ms);
  return Number.isNaN(time.getTime()) ? '' : time.toISOString();
}
