// Finds out from an agent's status files whether a message has reached it, and whether its turn has ended. Pure.
import type { Delivery } from './claude/delivery.ts';
import type { RegistryEntry } from './claude/registry.ts';
import type { AgentReport, ReceivedMessage } from './status-file.ts';

/** What the status file said before the message was sent. */
export interface ReportMark {
  readonly status: RegistryEntry['status'];
  readonly sinceMs: number;
  readonly received: readonly ReceivedMessage[] | undefined;
}

export function reportMark(entry: RegistryEntry, report: AgentReport): ReportMark {
  return { status: entry.status, sinceMs: entry.sinceMs ?? 0, received: report.received };
}

/** `hashes`: SHA-256 of the message's text, in hexadecimal, in each form that the agent may make of it. */
export function reportDelivery(
  mark: ReportMark,
  { entry, report }: { readonly entry: RegistryEntry; readonly report: AgentReport },
  hashes: readonly string[],
): Delivery {
  const state = stateSince(mark, entry, report, hashes);
  const hasEnded = state === 'delivered' && entry.status === 'idle' && report.end !== 'fresh';
  return {
    state,
    hasMore: false,
    isLocal: false,
    isOver: false,
    end: hasEnded ? report.end : undefined,
    words: hasEnded ? report.said : undefined,
  };
}

/** Whether a turn has ended after that time (`since` of a status file). */
export function hasEndedSince(
  sinceMs: number,
  { entry, report }: { readonly entry: RegistryEntry; readonly report: AgentReport },
): boolean {
  return entry.status === 'idle' && report.end !== 'fresh' && (entry.sinceMs ?? 0) > sinceMs;
}

function stateSince(
  { status, sinceMs, received: before }: ReportMark,
  entry: RegistryEntry,
  { received }: AgentReport,
  hashes: readonly string[],
): Delivery['state'] {
  if (received === undefined || before === undefined) {
    // It does not say which messages it has: then only the beginning of a turn tells.
    const hasBegun = status === 'idle' && entry.status !== 'idle' && (entry.sinceMs ?? 0) > sinceMs;
    return hasBegun ? 'delivered' : 'none';
  }
  const added = received.filter(({ id }) => before.every((old) => old.id !== id));
  // Another message may be of somebody else; or it is ours, with what was in the input box.
  if (added.every(({ sha256 }) => !hashes.includes(sha256))) return 'none';
  return status === 'busy' && entry.sinceMs === sinceMs ? 'queued' : 'delivered';
}
