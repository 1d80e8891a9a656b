import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSteps, type Step, type StepEvent } from './steps.ts';

function recorded(failAt?: string, failUndo?: string) {
  const log: string[] = [];
  const step = (name: string): Step<null> => ({
    name,
    title: name,
    run: async () => {
      log.push(`run ${name}`);
      if (name === failAt) throw new Error(`${name} failed`);
    },
    undo: async () => {
      log.push(`undo ${name}`);
      if (name === failUndo) throw new Error('undo failed');
    },
  });
  const events: StepEvent[] = [];
  return {
    log,
    events,
    steps: ['a', 'b', 'c'].map(step),
    tell: (event: StepEvent) => void events.push(event),
  };
}

test('steps run in order and nothing is undone if all succeed', async () => {
  const { log, steps, tell } = recorded();
  await runSteps(steps, null, {
    report: tell,
    elapsedMs: () => 0,
    signal: new AbortController().signal,
  });
  assert.deepEqual(log, ['run a', 'run b', 'run c']);
});

test('a failing step and those before it are undone, newest first, and its error is thrown', async () => {
  const { log, steps, tell } = recorded('b');
  await assert.rejects(
    runSteps(steps, null, {
      report: tell,
      elapsedMs: () => 0,
      signal: new AbortController().signal,
    }),
    /b failed/,
  );
  assert.deepEqual(log, ['run a', 'run b', 'undo b', 'undo a']);
});

test('a failing undo is reported and does not stop the others', async () => {
  const { log, events, steps, tell } = recorded('c', 'b');
  await assert.rejects(
    runSteps(steps, null, {
      report: tell,
      elapsedMs: () => 0,
      signal: new AbortController().signal,
    }),
    /c failed/,
  );
  assert.deepEqual(log.slice(3), ['undo c', 'undo b', 'undo a']);
  assert.equal(events.filter(({ kind }) => kind === 'undo-failed').length, 1);
});

test('an interrupt between steps undoes completed ones', async () => {
  const { log, steps, tell } = recorded();
  const controller = new AbortController();
  const interrupting: Step<null> = {
    name: 'x',
    title: 'x',
    run: async () => controller.abort(new Error('stop')),
  };
  await assert.rejects(
    runSteps([steps[0] as Step<null>, interrupting, steps[1] as Step<null>], null, {
      report: tell,
      elapsedMs: () => 0,
      signal: controller.signal,
    }),
    /stop/,
  );
  assert.deepEqual(log, ['run a', 'undo a']);
});
