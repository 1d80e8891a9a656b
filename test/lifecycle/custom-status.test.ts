// An agent of the user's own that says what it does, with the program that coi puts next to its state.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listed } from '../agents/attention-bed.ts';
import { readEvents } from '../agents/events-bed.ts';
import { makeBed } from '../bed/bed.ts';
import { homeFile } from './conversation.ts';

const timeout = 120_000;

test('an agent of [tools.NAME] can say what it does, and its exit is seen', {
  timeout,
}, async () => {
  await using bed = await makeBed({ env: { COI_USE_DUMMY: '0' } });
  // Reads lines, and does what they say: `works`, `asks`, `ends`, `exits`.
  const script = `say() { sh ~/.mine/coi/status.sh "$@"; }
say idle
while read -r line; do
  case $line in
    works) say working ;;
    asks) say asks 'Which "colour"?' 'red
blue' ;;
    ends) say idle finished ;;
    exits) exit 3 ;;
  esac
done`;
  homeFile(
    bed,
    '.coi/config.toml',
    `[tool]
name = "mine"
[tools.mine]
command = ["sh", "-c", '''${script}''']
state_dirs = [".mine"]
`,
  );
  const started = await bed.coi(['shell', '--background', '--json', '--image', bed.image]);
  assert.equal(started.status, 0, started.stderr);
  const { container: name } = JSON.parse(started.stdout) as { container: string };
  await using resources = new AsyncDisposableStack();
  const reader = resources.adopt(readEvents(bed), (one) => one.close());
  const types = async (line: string) =>
    assert.equal((await bed.coi(['tmux', 'send', name, '--raw', line])).status, 0);
  const until = async (status: string) =>
    (
      await reader.next(
        status,
        ({ attention, sessions }) =>
          (attention ?? sessions?.find(({ container }) => container === name)?.attention)
            ?.status === status,
      )
    ).attention;

  const waited = await bed.coi(['wait', name, '--for', 'idle', '--timeout', '20s']);
  assert.equal(waited.status, 0, waited.stderr);
  await until('idle');
  await types('works');
  await until('working');
  await types('asks');
  const { asks } = await until('asks');
  assert.deepEqual(
    asks.map(({ kind, title, body }) => [kind, title, body]),
    [['question', 'Which "colour"?', 'red\nblue']],
  );
  const refused = await bed.coi(['send', name, 'a heron']);
  assert.equal(refused.status, 3, refused.stderr);
  await types('ends');
  assert.equal((await until('idle')).why, 'finished');
  await types('exits');
  assert.equal((await until('exited')).exit_status, 3);
  assert.equal((await listed(bed, name)).attention.status, 'exited');
  // Started again by hand.
  await types('coi-agent');
  await until('idle');
});
