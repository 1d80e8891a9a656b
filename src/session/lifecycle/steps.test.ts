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

test('steps run in order and nothing is undone when all succeed', async () => {
  const { log, steps, tell } = recorded();
  await runSteps(steps, null, { tell, elapsedMs: () => 0, signal: new AbortController().signal });
  assert.deepEqual(log, ['run a', 'run b', 'run c']);
});

test('a failing step is undone with those before it, newest first, and its error is thrown', async () => {
  const { log, steps, tell } = recorded('b');
  await assert.rejects(
    runSteps(steps, null, { tell, elapsedMs: () => 0, signal: new AbortController().signal }),
    /b failed/,
  );
  assert.deepEqual(log, ['run a', 'run b', 'undo b', 'undo a']);
});

test('an undo that fails is told and keeps no other from running', async () => {
  const { log, events, steps, tell } = recorded('c', 'b');
  await assert.rejects(
    runSteps(steps, null, { tell, elapsedMs: () => 0, signal: new AbortController().signal }),
    /c failed/,
  );
  assert.deepEqual(log.slice(3), ['undo c', 'undo b', 'undo a']);
  assert.equal(events.filter(({ kind }) => kind === 'undo-failed').length, 1);
});

test('an interrupt between steps undoes what was done', async () => {
  const { log, steps, tell } = recorded();
  const controller = new AbortController();
  const interrupting: Step<null> = {
    name: 'x',
    title: 'x',
    run: async () => controller.abort(new Error('stop')),
  };
  await assert.rejects(
    runSteps([steps[0] as Step<null>, interrupting, steps[1] as Step<null>], null, {
      tell,
      elapsedMs: () => 0,
      signal: controller.signal,
    }),
    /stop/,
  );
  assert.deepEqual(log, ['run a', 'undo a']);
});
