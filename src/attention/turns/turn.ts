// The last turn of a conversation, as the agent's transcript tells it. It corrects a status file where the agent has no hook for
// what happened, or runs none. Pure.
import type { IdleReason } from '../activity.ts';
import type { StatusFile } from '../status-file.ts';

export interface Turn {
  /** Undefined if the transcript does not tell turns from other entries. */
  readonly startedMs?: number | undefined;
  readonly ended?: TurnEnd | undefined;
  /** When a tool call had its result: then nothing is asked about it any more. */
  readonly resultMs?: number | undefined;
}

export interface TurnEnd {
  readonly ms: number;
  readonly end: IdleReason;
  readonly said?: string | undefined;
}

/** What is newer wins. */
export function withTurn(file: StatusFile, turn: Turn): StatusFile {
  const { entry, report } = file;
  const { startedMs, ended, resultMs } = turn;
  const sinceMs = entry.sinceMs ?? 0;
  if (entry.status === 'idle') {
    if (startedMs !== undefined && !ended) return busy(file, Math.max(startedMs, sinceMs));
    // The hook knows only that there is no answer.
    return report.end === 'interrupted' && ended?.end === 'failed'
      ? { ...file, report: { ...report, end: 'failed' } }
      : file;
  }
  if (ended && ended.ms > sinceMs)
    return {
      ...file,
      entry: { ...entry, status: 'idle', sinceMs: ended.ms },
      report: { ...report, asks: [], end: ended.end, said: ended.said },
    };
  return entry.status === 'waiting' && resultMs !== undefined && resultMs > sinceMs
    ? busy(file, resultMs)
    : file;
}

function busy(file: StatusFile, sinceMs: number): StatusFile {
  return {
    ...file,
    entry: { ...file.entry, status: 'busy', sinceMs },
    report: { ...file.report, asks: [], end: 'fresh', said: undefined },
  };
}
