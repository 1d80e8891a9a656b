// Decides what a session does from what Incus, the agent's registry and its transcript say. Pure.
import type { Activity, Ask } from './activity.ts';
import { asksOf, dialogAsk, isDelegation, isPlan, isQuestion } from './claude/asks.ts';
import type { RegistryEntry } from './claude/registry.ts';
import type { PendingCall, TranscriptTail } from './claude/transcript.ts';
import { cleanText } from './clean.ts';
import { type AgentReport, saidMax } from './status-file.ts';

/** A registered agent whose process is alive. */
export interface LiveAgent {
  readonly entry: RegistryEntry;
  /** Undefined if there is none, or if it cannot be read. */
  readonly transcript: TranscriptTail | undefined;
  /** Calls without a result of its sub-agents, if it waits. */
  readonly ofSubAgents: readonly PendingCall[];
  /** What it says in a status file; undefined for Claude Code. */
  readonly report?: AgentReport | undefined;
}

export interface SessionFacts {
  /** Status of the instance, as Incus names it. */
  readonly instance: string;
  /** Why the monitor paused it; undefined if the monitor did not. */
  readonly pausedBecause?: string | undefined;
  /** The session's agent has files that coi can read. */
  readonly canTell: boolean;
  /** Registered agents that are alive; a failure if the files cannot be read. */
  readonly agents: readonly LiveAgent[] | 'unreadable';
  /** A process with the agent's name runs in the container, registered or not. */
  readonly isAgentRunning: boolean;
  /** An agent has registered since the session was started. */
  readonly hasStarted: boolean;
  /** Exit status of the session's agent, if it has ended (session/guest/agent.sh). */
  readonly exitStatus: number | undefined;
  /** The container started less than half a minute ago. */
  readonly isYoung: boolean;
}

export function activityOf(facts: SessionFacts): Activity {
  if (facts.instance === 'Stopped') return { kind: 'stopped' };
  if (facts.instance === 'Frozen')
    return facts.pausedBecause === undefined
      ? { kind: 'paused', by: 'user' }
      : { kind: 'paused', by: 'monitor', reason: facts.pausedBecause };
  if (facts.instance !== 'Running' || !facts.canTell) return unknown('no-signal');
  if (facts.agents === 'unreadable') return unknown('unreadable');
  if (facts.agents.length > 0) return strongest(facts.agents.map(activityOfAgent));
  if (facts.exitStatus !== undefined) return { kind: 'exited', status: facts.exitStatus };
  // Without a registered agent the session may run another program, which the user has configured.
  if (facts.hasStarted && !facts.isAgentRunning) return { kind: 'exited' };
  return unknown(facts.isYoung ? 'starting' : 'no-signal');
}

function activityOfAgent(agent: LiveAgent): Activity {
  const { entry, transcript, report } = agent;
  const since = entry.sinceMs === undefined ? {} : { sinceMs: entry.sinceMs };
  switch (entry.status) {
    case 'busy':
      return { kind: 'working', ...since };
    case 'waiting':
      return { kind: 'asks', ...since, asks: asksOfAgent(agent) };
    case 'idle':
      return {
        kind: 'idle',
        ...since,
        why: report?.end ?? transcript?.end ?? 'fresh',
        ...saidOf(report?.said ?? transcript?.said),
      };
    case 'unknown':
      return unknown('unknown-format');
  }
}

/**
 * The transcripts do not say which of several calls waits and which runs: then all are listed, because one that is missing
 * would be worse.
 */
export function asksOfAgent({ entry, transcript, ofSubAgents, report }: LiveAgent): readonly Ask[] {
  if (report) return report.asks.length > 0 ? report.asks : [unknownAsk];
  const pending = transcript?.pending ?? [];
  const { waitingFor } = entry;
  const asks: readonly Ask[] =
    waitingFor === 'permission prompt'
      ? [
          ...pending.filter((call) => !isQuestion(call) && !isDelegation(call)).flatMap(asksOf),
          ...ofSubAgents.flatMap(asksOf).map((ask) => ({ ...ask, subAgent: true })),
        ]
      : waitingFor === 'input needed'
        ? pending.filter((call) => isQuestion(call) || isPlan(call)).flatMap(asksOf)
        : [];
  return asks.length > 0 ? asks : [dialogAsk(waitingFor)];
}

const unknownAsk: Ask = { id: 'dialog', kind: 'dialog', title: 'The agent asks', options: [] };

function saidOf(said = ''): { readonly said?: string } {
  const words = cleanText(said, saidMax).text.trim();
  return words === '' ? {} : { said: words };
}

/** So many characters of all texts together: a container can make any number of long asks. */
const asksCharsMax = 16 * 1024;
const asksMax = 20;

/** At least one. */
function limitedAsks(asks: readonly Ask[]): readonly Ask[] {
  let chars = 0;
  const fits = (ask: Ask) => {
    const texts = [
      ask.title,
      ask.body ?? '',
      ...ask.options.flatMap(({ label, note }) => [label, note ?? '']),
    ];
    chars += texts.join('').length;
    return chars <= asksCharsMax;
  };
  return asks.slice(0, asksMax).filter((ask, index) => fits(ask) || index === 0);
}

/** Several agents in one session: after an ask, what works, then what coi does not know, then what is idle. */
const order = ['working', 'unknown', 'idle'] as const;

function strongest(activities: readonly Activity[]): Activity {
  const asking = activities.filter((activity) => activity.kind === 'asks');
  const [first] = asking;
  if (first) return { ...first, asks: limitedAsks(asking.flatMap(({ asks }) => asks)) };
  for (const kind of order) {
    const found = activities.find((activity) => activity.kind === kind);
    if (found) return found;
  }
  return unknown('no-signal');
}

function unknown(why: (Activity & { kind: 'unknown' })['why']): Activity {
  return { kind: 'unknown', why };
}
