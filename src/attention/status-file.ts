// Reads a status file: what an agent's process says about itself, one JSON object per process. Written by coi's plugins and
// hooks in the container, and by the program coi-status (docs/guide/status-and-messages.md). Pure.
import type { Ask, IdleReason } from './activity.ts';
import type { RegistryEntry } from './claude/registry.ts';
import { cleanText } from './clean.ts';
import { fieldsOf, listOf, textOf, timeOf } from './fields.ts';
import { transcriptOf, withHookDetails } from './hook-details.ts';
import { makeAsk } from './make-ask.ts';

/** What a status file says beyond a registry entry. */
export interface AgentReport {
  /** If it waits. */
  readonly asks: readonly Ask[];
  /** How its last turn ended, if it is idle. */
  readonly end: IdleReason;
  /** Its last words in that turn. */
  readonly said: string | undefined;
  /** The last messages that it has taken, oldest first; undefined if it does not say. */
  readonly received: readonly ReceivedMessage[] | undefined;
  /** It takes answers from a file (session/guest/answer.sh). */
  readonly takesAnswers: boolean;
}

export interface ReceivedMessage {
  readonly id: string;
  /** Of its text, in hexadecimal. */
  readonly sha256: string;
}

export interface StatusFile {
  readonly entry: RegistryEntry;
  readonly report: AgentReport;
  /** The name of its process, as in /proc/<pid>/comm; undefined if it does not say. */
  readonly comm: string | undefined;
  /** Path of its transcript in the container; empty if it does not say. */
  readonly transcript: string;
}

const asksMax = 20;
const receivedMax = 20;
const hashLength = 64;
export const saidMax = 2048;
const conversationPattern = /^[\w.:-]{1,100}$/;
const statuses = ['busy', 'idle', 'waiting'] as const;
const ends = ['finished', 'interrupted', 'failed'] as const;
const kinds = ['permission', 'question', 'plan', 'dialog'] as const;

/** Undefined if the text is not a status file. */
export function parseStatusFile(text: string): StatusFile | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const file = withHookDetails(fieldsOf(value));
  const { pid, comm, conversation, status, since, end, said, asks, received, answers } = file;
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 1) return undefined;
  const words = cleanText(textOf(said), saidMax).text.trim();
  return {
    entry: {
      pid,
      conversation: conversationPattern.test(textOf(conversation)) ? textOf(conversation) : '',
      cwd: '',
      status: statuses.find((known) => known === status) ?? 'unknown',
      waitingFor: undefined,
      sinceMs: timeOf(since),
    },
    report: {
      asks: (Array.isArray(asks) ? asks.slice(0, asksMax) : []).map(askOf),
      end: ends.find((known) => known === end) ?? 'fresh',
      said: words === '' ? undefined : words,
      received: Array.isArray(received)
        ? received.slice(-receivedMax).map((message: unknown) => {
            const { id, sha256 } = fieldsOf(message);
            return {
              id: textOf(id).slice(0, hashLength),
              sha256: textOf(sha256).slice(0, hashLength),
            };
          })
        : undefined,
      takesAnswers: answers === true,
    },
    comm: typeof comm === 'string' ? comm : undefined,
    transcript: transcriptOf(file),
  };
}

function askOf(value: unknown): Ask {
  const { id, kind, title, body, options, multiple, subAgent } = fieldsOf(value);
  return makeAsk({
    id: textOf(id),
    kind: kinds.find((known) => known === kind) ?? 'dialog',
    title: textOf(title) || 'The agent asks',
    body: textOf(body),
    options: listOf(options)
      .slice(0, asksMax)
      .map((option) => ({
        id: textOf(option['id']),
        label: textOf(option['label']),
        note: textOf(option['note']),
      })),
    multiple: multiple === true,
    subAgent: subAgent === true,
  });
}
