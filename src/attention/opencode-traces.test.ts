// What sessions of opencode do, replayed from status files of the real one, and deliveries by rule.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { activityJson } from './activity-text.ts';
import { activityOf } from './reduce.ts';
import { hasEndedSince, reportDelivery, reportMark } from './report-delivery.ts';
import { parseStatusFile, type StatusFile } from './status-file.ts';

/** Recorded by test/agents/opencode-attention.test.ts with COI_RECORD_TRACES=1. */
const steps = JSON.parse(
  readFileSync(new URL('traces/opencode.json', import.meta.url), 'utf8'),
) as readonly { readonly step: string; readonly files: readonly object[] }[];

const expected: Readonly<Record<string, string>> = {
  'a new process': 'idle fresh',
  'the turn has ended': 'idle finished',
  'a permission': 'asks permission bash: touch refused',
  'a refused permission': 'idle interrupted',
  'another permission': 'asks permission bash: touch allowed',
  'an allowed permission': 'idle finished',
  'a dismissed question, open': 'asks question Which colour shall the button have?: Colour',
  'a dismissed question': 'idle interrupted',
  'an answered question, open': 'asks question Which colour shall the button have?: Colour',
  'an answered question': 'idle finished',
  'a permission to delegate': 'asks permission task: Delegated',
  'a permission of a sub-agent': 'asks permission bash: touch three',
  'a sub-agent has ended': 'idle finished',
  'a long turn': 'working',
  'a queued message': 'working',
  'an interrupted turn': 'idle interrupted',
  'a failed turn': 'idle failed',
  'a pasted message': 'idle finished',
  'a dialog': 'asks dialog opencode shows a dialog: ',
  'a closed dialog': 'idle finished',
  'a turn in the background': 'working',
  'two turns': 'working',
  'both turns have ended': 'idle finished',
};

function parsed(file: object | undefined): StatusFile {
  const found = parseStatusFile(JSON.stringify(file));
  assert.ok(found);
  return found;
}

function activityText({ entry, report }: StatusFile): string {
  const { status, why, asks } = activityJson(
    activityOf({
      ...{ instance: 'Running', canTell: true, isAgentRunning: false, hasStarted: true },
      ...{ isYoung: false, exitStatus: undefined },
      agents: [{ entry, report, transcript: undefined, ofSubAgents: [] }],
    }),
  );
  return [
    status,
    ...(why === undefined ? [] : [why]),
    ...asks.map(({ kind, title, body }) => `${kind} ${title}: ${body}`),
  ].join(' ');
}

test('the status files of opencode show what it does and asks', () => {
  assert.deepEqual(
    Object.fromEntries(steps.map(({ step, files }) => [step, activityText(parsed(files.at(-1)))])),
    expected,
  );
});

test('a status file that was written while a turn goes on never says idle', () => {
  for (const { step, files } of steps.filter(({ files }) => files.length > 1)) {
    const found = files.map((file) => parsed(file).entry.status);
    const firstBusy = found.indexOf('busy');
    const between = firstBusy === -1 ? [] : found.slice(firstBusy, -1);
    assert.ok(!between.includes('idle'), `${step}: ${found.join()}`);
  }
});

const hash = 'a'.repeat(64);

function file(status: string, since: number, received: readonly string[] | undefined, more = {}) {
  const messages = received?.map((id) => ({ id, sha256: id === 'ours' ? hash : 'b'.repeat(64) }));
  return parsed({ pid: 1, status, since, ...(messages && { received: messages }), ...more });
}

function delivered(before: StatusFile, now: StatusFile): string {
  const { state, hasMore, end } = reportDelivery(reportMark(before.entry, before.report), now, [
    hash,
  ]);
  return [state, ...(hasMore ? ['with more'] : []), ...(end ? [end] : [])].join(' ');
}

test('a message has arrived when the agent says so, and its turn ends with the agent', () => {
  const idle = file('idle', 1, ['old'], { end: 'finished' });
  assert.equal(delivered(idle, idle), 'none');
  assert.equal(delivered(idle, file('busy', 2, ['old', 'ours'])), 'delivered');
  assert.equal(
    delivered(idle, file('idle', 3, ['old', 'ours'], { end: 'failed' })),
    'delivered failed',
  );
  assert.equal(delivered(idle, file('busy', 2, ['old', 'other'])), 'none');
});

test('a message to an agent that works is queued until its turn', () => {
  const busy = file('busy', 5, ['old']);
  assert.equal(delivered(busy, busy), 'none');
  assert.equal(delivered(busy, file('busy', 5, ['old', 'ours'])), 'queued');
  assert.equal(
    delivered(busy, file('idle', 9, ['old', 'ours'], { end: 'finished' })),
    'delivered finished',
  );
});

test('of an agent that does not tell its messages, only the beginning of a turn counts', () => {
  const idle = file('idle', 1, undefined);
  assert.equal(delivered(idle, file('busy', 2, undefined)), 'delivered');
  const busy = file('busy', 1, undefined);
  assert.equal(delivered(busy, busy), 'none');
});

test('a turn has ended since a mark only if the agent became idle later', () => {
  assert.equal(hasEndedSince(5, file('idle', 5, [], { end: 'finished' })), false);
  assert.equal(hasEndedSince(5, file('idle', 6, [], { end: 'finished' })), true);
  assert.equal(hasEndedSince(5, file('busy', 6, [])), false);
});
