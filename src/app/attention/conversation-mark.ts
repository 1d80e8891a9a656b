// Remembers how long the transcripts are before a message is sent, so that what is added afterwards can be told apart.
import { createHash } from 'node:crypto';
import { type Delivery, readDelivery, type Wanted } from '../../attention/claude/delivery.ts';
import type { LiveAgent } from '../../attention/reduce.ts';
import {
  hasEndedSince,
  type ReportMark,
  reportDelivery,
  reportMark,
} from '../../attention/report-delivery.ts';
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { SubmitKeys } from '../../tools/tool.ts';
import type { AppContext } from '../context.ts';
import { transcriptPath } from './claude-agents.ts';
import { type ActivityReading, withStore } from './container-activity.ts';

/** A position in a conversation. */
export interface ConversationMark {
  readonly conversation: string;
  /** Bytes of its transcript before this position. */
  readonly offset: number;
  /** A message was queued there: its turn begins later. */
  readonly isQueued?: boolean;
}

export interface AgentMark extends ConversationMark {
  readonly pid: number;
  readonly cwd: string;
  /** Of an agent that has status files instead of a transcript. */
  readonly report?: ReportMark;
}

/** In cursors of agents with status files; then the offset is the time of the last change. */
const ofStatusFile = 'status';

/** What one message and its turn may add; more is cut at its start. */
const addedMaxBytes = 8 * 2 ** 20;
const bindingsMaxBytes = 2 ** 20;
const cursorText = /^([\w-]{1,64}):(\d{1,15})(q?)$/;

export function cursorOf({ conversation, offset, isQueued }: ConversationMark): string {
  return `${conversation}:${offset}${isQueued ? 'q' : ''}`;
}

/** Throws `usage`. */
export function parseCursor(text: string): ConversationMark {
  const [, conversation, offset, queued] = cursorText.exec(text) ?? [];
  if (conversation !== undefined && offset !== undefined)
    return { conversation, offset: Number(offset), isQueued: queued === 'q' };
  throw new CoiError('usage', `invalid cursor ${quoted(text)}`, {
    hint: 'Use the cursor that `coi send --json` prints.',
  });
}

/** The ends of the agents' conversations. */
export function markConversations(
  app: AppContext,
  container: Container,
  agents: readonly LiveAgent[],
): readonly AgentMark[] {
  const ofFiles = agents.flatMap(({ entry, report }): AgentMark[] => {
    if (!report) return [];
    const mark = reportMark(entry, report);
    const { pid } = entry;
    return [{ pid, cwd: '', conversation: ofStatusFile, offset: mark.sinceMs, report: mark }];
  });
  const ofTranscripts = withStore(app, container, [], (store, registry) =>
    agents.flatMap(({ entry, report }): AgentMark[] => {
      if (report) return [];
      const { pid, conversation, cwd } = entry;
      const path = transcriptPath(store, registry, entry);
      const offset = path === undefined ? 0 : (store.entry(path)?.stat.size ?? 0);
      return [{ pid, conversation, cwd, offset }];
    }),
  );
  return [...ofFiles, ...ofTranscripts];
}

/** Whether the agent knows these keys: it reads its key bindings whenever they change. */
export function isSubmitBound(
  app: AppContext,
  container: Container,
  { binding, isBound }: SubmitKeys,
): boolean {
  return withStore(app, container, false, (store) => {
    const head = store.readHead(binding.path, { maxBytes: bindingsMaxBytes });
    return head !== undefined && isBound(head.toString('utf8'));
  });
}

/** What has become of a message since the mark. */
export function deliverySince(
  app: AppContext,
  container: Container,
  mark: AgentMark,
  agents: readonly LiveAgent[],
  wanted: Wanted,
): Delivery {
  const agent = agents.find(({ entry }) => entry.pid === mark.pid);
  if (mark.report && wanted.kind === 'message')
    return agent?.report
      ? reportDelivery(mark.report, { ...agent, report: agent.report }, hashesOf(wanted.text))
      : readDelivery('', wanted);
  const now = agent?.entry ?? mark;
  const from = now.conversation === mark.conversation ? mark.offset : 0;
  return withStore(app, container, readDelivery('', wanted), (store, registry) => {
    const path = transcriptPath(store, registry, now);
    const added = path && store.readTail(path, { maxBytes: addedMaxBytes, from });
    return readDelivery(added ? added.toString('utf8') : '', wanted);
  });
}

/** opencode adds a space to a text that it shows as pasted. */
function hashesOf(text: string): string[] {
  return [text, `${text} `].map((form) => createHash('sha256').update(form).digest('hex'));
}

/** Whether a turn has ended since the mark. */
export function hasTurnEnded(
  app: AppContext,
  container: Container,
  mark: ConversationMark,
  { activity, agents }: ActivityReading,
): boolean {
  const isIdle = activity.kind === 'idle';
  if (mark.conversation === ofStatusFile)
    return agents.some(
      ({ entry, report }) => report && hasEndedSince(mark.offset, { entry, report }),
    );
  const entry = agents.find((agent) => agent.entry.conversation === mark.conversation)?.entry;
  // The user began another conversation.
  if (!entry) return isIdle;
  const at = { ...entry, ...mark };
  const kind = mark.isQueued ? 'queued-turn' : 'turn';
  const { end, isOver } = deliverySince(app, container, at, agents, { kind });
  // Of several queued messages, the one that was meant may come last.
  return (isOver && !mark.isQueued) || (isIdle && end !== undefined);
}

/** Throws `usage` if the session has no such conversation. */
export function checkMark(app: AppContext, container: Container, mark: ConversationMark): void {
  if (mark.conversation === ofStatusFile) return;
  const isKnown = withStore(
    app,
    container,
    true,
    (store, registry) =>
      transcriptPath(store, registry, { cwd: '/', conversation: mark.conversation }) !== undefined,
  );
  if (isKnown) return;
  throw new CoiError('usage', `${container.name} has no conversation ${mark.conversation}`, {
    hint: 'Use a cursor that `coi send --json` has printed for this session.',
  });
}
