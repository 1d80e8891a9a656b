// What sessions do, replayed from files of the real Claude Code, and by rule.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { activityJson } from './activity-text.ts';
import { parseRegistryEntry, type RegistryEntry } from './claude/registry.ts';
import { readTranscript } from './claude/transcript.ts';
import { activityOf, type LiveAgent, type SessionFacts } from './reduce.ts';

interface Step {
  readonly step: string;
  readonly trace: {
    readonly registry: object;
    readonly transcript: readonly object[];
    readonly subAgents: readonly (readonly object[])[];
  };
  readonly activity: { readonly status: string; readonly since?: string };
}

/** Recorded by test/agents/attention.test.ts with COI_RECORD_TRACES=1. */
const steps = JSON.parse(
  readFileSync(new URL('traces/claude.json', import.meta.url), 'utf8'),
) as readonly Step[];

const running: SessionFacts = {
  instance: 'Running',
  canTell: true,
  agents: [],
  isAgentRunning: true,
  exitStatus: undefined,
  hasStarted: true,
  isYoung: false,
};
const entry: RegistryEntry = {
  pid: 31,
  conversation: 'one',
  cwd: '/workspace',
  status: 'idle',
  waitingFor: undefined,
  sinceMs: undefined,
};
const live = (changed: Partial<RegistryEntry>): LiveAgent => ({
  entry: { ...entry, ...changed },
  transcript: undefined,
  ofSubAgents: [],
});
const call = (name: string) => ({ id: name, name, input: { command: name } });

function textOf(lines: readonly object[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

function agentOf({ registry, transcript, subAgents }: Step['trace']): LiveAgent {
  const parsed = parseRegistryEntry(JSON.stringify(registry));
  assert.ok(parsed);
  return {
    entry: parsed,
    transcript: readTranscript(textOf(transcript)),
    ofSubAgents:
      parsed.status === 'waiting'
        ? subAgents.flatMap((lines) => readTranscript(textOf(lines)).pending)
        : [],
  };
}

describe('the activity of a session', () => {
  for (const { step, trace, activity } of steps)
    it(`the files of Claude Code show ${step}`, () => {
      const { since: _, ...expected } = activity;
      assert.deepEqual(
        activityJson(activityOf({ ...running, agents: [agentOf(trace)] })),
        expected,
      );
    });

  it('the traces have permissions, questions, and every end of a turn', () => {
    const words = steps.map(({ activity }) => JSON.stringify(activity)).join();
    for (const word of ['permission', 'question', 'plan', 'finished', 'interrupted', 'failed'])
      assert.match(words, new RegExp(`"${word}"`));
  });

  it('Incus tells what stopped and what is paused, whatever the files say', () => {
    const agents = [live({ status: 'busy' })];
    assert.deepEqual(activityOf({ ...running, agents, instance: 'Stopped' }), { kind: 'stopped' });
    assert.deepEqual(activityOf({ ...running, agents, instance: 'Frozen' }), {
      kind: 'paused',
      by: 'user',
    });
    assert.deepEqual(
      activityOf({ ...running, agents, instance: 'Frozen', pausedBecause: 'a reverse shell' }),
      { kind: 'paused', by: 'monitor', reason: 'a reverse shell' },
    );
  });

  it('an agent that has not registered yet is starting, and has exited if it ran before', () => {
    const young = { ...running, isYoung: true, hasStarted: false };
    const starting = { kind: 'unknown', why: 'starting' };
    assert.deepEqual(activityOf(young), starting);
    assert.deepEqual(activityOf({ ...young, isAgentRunning: false }), starting);
    const exited = { kind: 'exited' };
    assert.deepEqual(activityOf({ ...young, isAgentRunning: false, hasStarted: true }), exited);
    assert.deepEqual(activityOf({ ...running, isAgentRunning: false }), exited);
    const other = { ...running, isAgentRunning: false, hasStarted: false };
    assert.deepEqual(activityOf(other), { kind: 'unknown', why: 'no-signal' });
  });

  it('what coi cannot read is unknown and never idle', () => {
    const why = (facts: Partial<SessionFacts>) => activityOf({ ...running, ...facts });
    assert.deepEqual(why({ canTell: false }), { kind: 'unknown', why: 'no-signal' });
    assert.deepEqual(why({}), { kind: 'unknown', why: 'no-signal' });
    assert.deepEqual(why({ agents: 'unreadable' }), { kind: 'unknown', why: 'unreadable' });
    const strange = parseRegistryEntry(
      '{"pid":31,"sessionId":"one","procStart":"1","status":"dreaming"}',
    );
    assert.ok(strange);
    assert.deepEqual(why({ agents: [live(strange)] }), { kind: 'unknown', why: 'unknown-format' });
  });

  it('of several agents in a session, one that asks comes first, then one that works', () => {
    const kindOf = (...agents: LiveAgent[]) => activityOf({ ...running, agents }).kind;
    const [idle, busy, asks] = [live({}), live({ status: 'busy' }), live({ status: 'waiting' })];
    assert.equal(kindOf(idle, busy), 'working');
    assert.equal(kindOf(idle, asks, busy), 'asks');
    assert.equal(kindOf(idle, live({ status: 'unknown' })), 'unknown');
  });

  it('a permission that the transcript does not show is a dialog', () => {
    const waiting = live({ status: 'waiting', waitingFor: 'permission prompt' });
    const activity = activityOf({ ...running, agents: [waiting] });
    assert.ok(activity.kind === 'asks');
    assert.deepEqual(
      activity.asks.map(({ kind, title }) => ({ kind, title })),
      [{ kind: 'dialog', title: 'Claude Code asks for permission' }],
    );
  });

  it('a call that runs a sub-agent is not mistaken for what the sub-agent asks', () => {
    const waiting = live({ status: 'waiting', waitingFor: 'permission prompt' });
    const transcript = { pending: [call('Task')], end: 'fresh' } as const;
    const activity = activityOf({
      ...running,
      agents: [{ ...waiting, transcript, ofSubAgents: [call('Bash')] }],
    });
    assert.ok(activity.kind === 'asks');
    assert.deepEqual(
      activity.asks.map(({ title, subAgent }) => ({ title, subAgent })),
      [{ title: 'Bash', subAgent: true }],
    );
  });

  it('keeps the questions of many agents short together, and at least one', () => {
    const report = {
      asks: Array.from({ length: 20 }, (_, id) => ({
        id: String(id),
        kind: 'question' as const,
        title: 'x'.repeat(100),
        body: '\ufffd'.repeat(4000),
        options: [],
      })),
      end: 'fresh' as const,
      said: undefined,
      received: undefined,
      takesAnswers: false,
    };
    const agents = Array.from({ length: 8 }, () => ({ ...live({ status: 'waiting' }), report }));
    const activity = activityOf({ ...running, agents });
    const { asks } = activityJson(activity);
    assert.ok(asks.length >= 1 && asks.length <= 20, String(asks.length));
    assert.ok(JSON.stringify(asks).length < 32_000);
  });
});
