// Reads the registry of Claude Code: ~/.claude/sessions/<pid>.json, one file per process, rewritten in place at every change
// (so a reader may see half of it). Not documented: seen in Claude Code 2.1.x. Pure.
import { timeOf } from '../fields.ts';

export interface RegistryEntry {
  /** In the container's pid namespace. */
  readonly pid: number;
  /** Its conversation. */
  readonly conversation: string;
  /** The directory in which it was started, in the container. */
  readonly cwd: string;
  /** `unknown`: a status that coi does not know. */
  readonly status: 'busy' | 'idle' | 'waiting' | 'unknown';
  /** `permission prompt`, `input needed` or `dialog open`, if it waits. */
  readonly waitingFor: string | undefined;
  readonly sinceMs: number | undefined;
}

const textMax = 100;
const pathMax = 4096;
const statuses = ['busy', 'idle', 'waiting'] as const;

/** Undefined if the text is not a registry entry, or only half of one. */
export function parseRegistryEntry(text: string): RegistryEntry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { pid, procStart, sessionId, cwd, status, waitingFor, statusUpdatedAt } = value as Record<
    string,
    unknown
  >;
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 1) return undefined;
  if (typeof sessionId !== 'string' || !/^[\w-]{1,64}$/.test(sessionId)) return undefined;
  if (typeof procStart !== 'string' && typeof procStart !== 'number') return undefined;
  return {
    pid,
    conversation: sessionId,
    cwd: typeof cwd === 'string' ? cwd.slice(0, pathMax) : '',
    status: statuses.find((known) => known === status) ?? 'unknown',
    waitingFor: typeof waitingFor === 'string' ? waitingFor.slice(0, textMax) : undefined,
    sinceMs: timeOf(statusUpdatedAt),
  };
}
