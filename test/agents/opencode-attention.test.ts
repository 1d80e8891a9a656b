// The real opencode: what its status files say in every state, and on every way between two.
import assert from 'node:assert/strict';
import { existsSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Screen } from '../bed/screen.ts';
import { endMs, prompt, runInside, sessionId, storeOf } from '../lifecycle/conversation.ts';
import { onlyInstance } from '../terminal/session.ts';
import { makeAgentBed } from './agent-bed.ts';
import { listed } from './attention-bed.ts';
import {
  hasReceived,
  onlyStatus,
  opencodeOptions,
  type StatusFile,
  statusFiles,
  watchStatus,
} from './opencode-bed.ts';

const timeout = 300_000;
/** With this variable the traces of src/attention/traces are written anew, for a new version of opencode. */
const recordTo = process.env['COI_RECORD_TRACES']
  ? fileURLToPath(new URL('../../src/attention/traces/opencode.json', import.meta.url))
  : undefined;

/** Makes its own mark when it is loaded. */
const ownPlugin = `import { writeFileSync } from 'node:fs';
export default { id: 'mine', tui: async () => writeFileSync('/workspace/mine', '') };
`;

/** Types a message and sends it once it is in the input box. */
async function send(screen: Screen, words: string): Promise<void> {
  screen.type(words);
  await screen.waitFor(words);
  screen.key('enter');
}

test('opencode says what it does, asks and has received, whatever happens to a turn', {
  timeout,
}, async () => {
  await using agent = await makeAgentBed({
    ...opencodeOptions,
    asking: true,
    files: (provider) => ({
      ...opencodeOptions.files?.(provider),
      '.config/opencode/tui.json': '{"plugin": ["/workspace/mine.js"], "theme": "system"}',
    }),
  });
  const { bed } = agent;
  const inWorkspace = (name: string) => join(bed.workspace.path, name);
  writeFileSync(inWorkspace('mine.js'), ownPlugin);
  const screen = await agent.open();
  const id = sessionId(screen);
  using files = watchStatus(bed, id);
  const steps: { step: string; files: StatusFile[] }[] = [];
  /** Asserts the state and records the files on the way to it. */
  const shows = async (
    step: string,
    status: StatusFile['status'],
    isTrue: (file: StatusFile) => boolean = () => true,
  ) => {
    const file = await files.until(step, (one) => one.status === status && isTrue(one));
    steps.push({ step, files: files.seen() });
    return file;
  };
  const ends = (step: string, end: StatusFile['end'], words: string) =>
    shows(step, 'idle', (file) => file.end === end && hasReceived(file, words));
  const asks = (step: string, kind: string, title: string) =>
    shows(step, 'waiting', ({ asks: [ask] = [] }) => ask?.kind === kind && ask.title === title);

  const fresh = await shows('a new process', 'idle');
  assert.deepEqual([fresh.end, fresh.said, fresh.received], [undefined, undefined, []]);
  assert.ok(existsSync(inWorkspace('mine')), "the user's own plugin");

  await send(screen, 'hello there');
  const finished = await ends('the turn has ended', 'finished', 'hello there');
  assert.equal(finished.said, 'I heard hello there.');
  assert.ok(steps.at(-1)?.files.some(({ status }) => status === 'busy'));

  await send(screen, 'please run touch refused');
  const permission = await asks('a permission', 'permission', 'bash');
  assert.deepEqual(
    permission.asks?.map(({ body, options, subAgent }) => ({
      body,
      options: options.map((option) => option.id),
      subAgent,
    })),
    [{ body: 'touch refused', options: ['once', 'always', 'reject'], subAgent: undefined }],
  );
  screen.key('escape');
  await ends('a refused permission', 'interrupted', 'please run touch refused');
  await send(screen, 'please run touch allowed');
  await asks('another permission', 'permission', 'bash');
  screen.key('enter');
  await ends('an allowed permission', 'finished', 'please run touch allowed');
  assert.deepEqual(
    ['refused', 'allowed'].map((name) => existsSync(inWorkspace(name))),
    [false, true],
  );

  for (const [key, step, end] of [
    ['escape', 'a dismissed question', 'interrupted'],
    ['enter', 'an answered question', 'finished'],
  ] as const) {
    await send(screen, 'please ask me');
    const title = 'Which colour shall the button have?';
    const question = await asks(`${step}, open`, 'question', title);
    assert.deepEqual(question.asks?.[0]?.options, [
      { id: '1', label: 'Red', note: 'A red one' },
      { id: '2', label: 'Blue', note: 'A blue one' },
    ]);
    screen.key(key);
    await ends(step, end, 'please ask me');
  }

  await send(screen, 'please delegate touch three');
  await asks('a permission to delegate', 'permission', 'task');
  screen.key('enter');
  const delegated = await asks('a permission of a sub-agent', 'permission', 'bash');
  assert.deepEqual(
    delegated.asks?.map(({ body, subAgent }) => [body, subAgent]),
    [['touch three', true]],
  );
  assert.ok(hasReceived(delegated, 'please delegate touch three'), 'not the prompt of the agent');
  screen.key('enter');
  await ends('a sub-agent has ended', 'finished', 'please delegate touch three');

  await send(screen, 'please take 60000 ms');
  await shows('a long turn', 'busy');
  await send(screen, 'next in line');
  await shows('a queued message', 'busy', (file) => hasReceived(file, 'next in line'));
  screen.key('escape');
  await screen.waitFor('esc again to interrupt');
  screen.key('escape');
  await ends('an interrupted turn', 'interrupted', 'next in line');
  await send(screen, 'please fail');
  await ends('a failed turn', 'failed', 'please fail');

  const pasted = `${Array.from({ length: 30 }, (_, line) => `${line}: äöü 日本語 👩‍👩‍👧 "'$(id)\\`).join('\n')}\n  end`;
  screen.type(`\x1b[200~${pasted}\x1b[201~`);
  await screen.waitFor('Pasted');
  screen.key('enter');
  // It is shown as one word, which opencode ends with a space.
  await ends('a pasted message', 'finished', `${pasted} `);

  screen.key('ctrl-p');
  await asks('a dialog', 'dialog', 'opencode shows a dialog');
  screen.key('escape');
  const closed = await shows('a closed dialog', 'idle');

  await send(screen, 'please take 6000 ms');
  const long = await shows('a turn in the background', 'busy');
  await send(screen, '/new');
  await screen.waitFor('Ask anything');
  await send(screen, 'hello again');
  const both = await shows('two turns', 'busy', (file) => hasReceived(file, 'hello again'));
  assert.notEqual(both.conversation, closed.conversation);
  assert.equal(both.since, long.since, 'it was busy all the time');
  await ends('both turns have ended', 'finished', 'hello again');
  if (recordTo) writeFileSync(recordTo, `${JSON.stringify(steps, null, 1)}\n`);
});

test('each process of opencode has a status file, and each start renews what writes it', {
  timeout,
}, async () => {
  await using agent = await makeAgentBed({ ...opencodeOptions, asking: true });
  const { bed } = agent;
  const screen = await agent.open();
  const id = sessionId(screen);
  using files = watchStatus(bed, id);
  await send(screen, 'please run touch it');
  const first = await files.until('a permission', ({ status }) => status === 'waiting');
  const { name } = await onlyInstance(bed);

  const { session_id: elsewhere } = await listed(bed, await agent.start());
  using filesElsewhere = watchStatus(bed, elsewhere);
  const other = await filesElsewhere.until('another session', ({ status }) => status === 'idle');
  assert.deepEqual([other.conversation, other.received], ['', []]);
  assert.deepEqual(onlyStatus(bed, id), first);

  // By hand, in another window of tmux.
  screen.key('ctrl-b c');
  await screen.waitFor(prompt);
  screen.type('opencode\r');
  const second = await files.until('a second process', ({ pid }) => pid !== first.pid);
  assert.deepEqual([second.status, second.received], ['idle', []]);
  assert.deepEqual(
    statusFiles(bed, id).find(({ pid }) => pid === first.pid),
    first,
  );
  await screen.waitFor(opencodeOptions.ready);
  screen.key('ctrl-c');
  await screen.waitFor(prompt);
  assert.deepEqual(onlyStatus(bed, id), first, 'the file of a process that has ended is gone');

  await runInside(bed, name, 'kill', '-9', String(first.pid));
  assert.deepEqual(onlyStatus(bed, id), first, 'that of a killed one stays');

  const own = join(storeOf(bed, id, 'opencode'), '.config/opencode/coi');
  rmSync(own, { recursive: true });
  symlinkSync('/etc', own);
  await bed.coi(['kill', name]);
  await screen.ended(endMs);
  const resumed = await agent.open([`--resume=${id}`]);
  // The start has removed the directory with what earlier processes had said.
  using renewed = watchStatus(bed, id);
  const isNew = ({ start }: StatusFile) => start !== first.start;
  const again = await renewed.until('a resumed session', isNew);
  assert.deepEqual(
    [again.status, again.end, again.conversation, again.received],
    ['idle', undefined, first.conversation, []],
  );
  await send(resumed, 'hello again');
  await renewed.until('a turn after a resume', (file) => isNew(file) && file.end === 'finished');
});
