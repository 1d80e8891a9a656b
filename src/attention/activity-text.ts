// An activity in a word, and as JSON. Pure.
import type { Activity, Ask } from './activity.ts';

/** For a column: `working`, `asks`, `idle`, … `isUnseen`: the user has not looked at it since. */
export function activityWord(activity: Activity, isUnseen = false): string {
  switch (activity.kind) {
    case 'idle':
      if (isUnseen) return activity.why;
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
  return activity.kind === 'asks' ? lineOfAsks(activity.asks) : '';
}

function lineOfAsks([first, ...more]: readonly Pick<Ask, 'kind' | 'title' | 'body'>[]): string {
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

/** Like `activityLine`, of an event. */
export function attentionLine({ status, why, asks, said, exit_status, by }: ActivityJson): string {
  switch (status) {
    case 'asks':
      return `asks: ${lineOfAsks(asks)}`;
    case 'idle':
      return `idle (${why ?? ''})${said === undefined ? '' : `: ${said.split('\n')[0] ?? ''}`}`;
    case 'unknown':
      return `unknown (${why ?? ''})`;
    case 'exited':
      return exit_status === undefined ? status : `exited (status ${exit_status})`;
    case 'paused':
      return by === 'monitor' ? 'paused (monitor)' : status;
    default:
      return status;
  }
}

/** An activity in the output of commands and in the event log. */
export interface ActivityJson {
  readonly status: Activity['kind'];
  /** ISO 8601. */
  readonly since?: string;
  readonly why?: string;
  readonly said?: string;
  readonly exit_status?: number;
  readonly by?: 'monitor' | 'user';
  readonly reason?: string;
  readonly asks: readonly AskJson[];
}

export interface AskJson {
  readonly id: string;
  readonly kind: Ask['kind'];
  readonly title: string;
  readonly body: string;
  readonly truncated: boolean;
  readonly options: readonly {
    readonly id: string;
    readonly label: string;
    readonly note: string;
  }[];
  readonly multiple: boolean;
  readonly sub_agent: boolean;
}

export function activityJson(activity: Activity): ActivityJson {
  const since = 'sinceMs' in activity ? isoTime(activity.sinceMs) : undefined;
  return {
    status: activity.kind,
    ...(since !== undefined && { since }),
    ...('why' in activity && { why: activity.why }),
    ...('said' in activity && activity.said !== undefined && { said: activity.said }),
    ...(activity.kind === 'exited' &&
      activity.status !== undefined && { exit_status: activity.status }),
    ...(activity.kind === 'paused' && { by: activity.by, reason: activity.reason ?? '' }),
    asks: activity.kind === 'asks' ? activity.asks.map(askJson) : [],
  };
}

export function askJson({
  id,
  kind,
  title,
  body,
  truncated,
  options,
  multiple,
  subAgent,
}: Ask): AskJson {
  return {
    id,
    kind,
    title,
    body: body ?? '',
    truncated: truncated ?? false,
    options: options.map(({ id, label, note }) => ({ id, label, note: note ?? '' })),
    multiple: multiple ?? false,
    sub_agent: subAgent ?? false,
  };
}

function isoTime(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}
