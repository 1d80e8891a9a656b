// Ctrl-C during a start: either nothing is left, or a line says what keeps running and how to reach and end it.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { stopByForce } from '../bed/incus.ts';
import { openRelay } from '../bed/incus-relay.ts';
import type { Screen } from '../bed/screen.ts';
import { untilGone } from '../bed/until.ts';

const timeout = 300_000;
const goesOn = (name: string) =>
  new RegExp(
    // At the end the terminal has been left before it is interrupted.
    `^(?:(?:Detached|Interrupted); the session is still running|The terminal has closed; the container is still running)\\. Attach: coi attach ${name}(?:; end it: coi kill ${name})?$`,
    'm',
  );

interface InterruptedRun {
  readonly status: number;
  readonly history: string;
  /** The call to Incus at which it was pressed; undefined if there were fewer. */
  readonly at: string | undefined;
}

/** Presses Ctrl-C at that call to Incus of a command on a terminal; if there is none, the agent is left. */
async function interruptAtCall(
  bed: Bed,
  args: readonly string[],
  nth: number,
): Promise<InterruptedRun> {
  await using relay = await openRelay();
  const env = { INCUS_SOCKET: relay.socketPath };
  const screen = bed.screen(args, { env, columns: 200 });
  // From inside, since the terminal is raw once the agent has it.
  const strike = relay.strikeAt(nth, 'passing', /./, () => screen.kill('SIGINT'));
  const leave = ({ type, key }: Screen) =>
    args.includes('--no-tmux') ? type('/exit\r') : key('ctrl-b d');
  if (!args.includes('--background'))
    await Promise.race([screen.exit, screen.waitFor('You:').then(() => leave(screen))]);
  const { status } = await screen.ended();
  return { status, history: screen.history(), at: strike.at };
}

function stores(bed: Bed): string[] {
  try {
    return readdirSync(`${bed.user.home}/.coi/sessions-claude`);
  } catch {
    return [];
  }
}

for (const [how, more] of Object.entries({
  'on a terminal': [],
  'without tmux': ['--no-tmux'],
  'in the background': ['--background'],
}))
  test(`a new session interrupted ${how} is undone or reported`, { timeout }, async () => {
    await using bed = await makeBed();
    const args = ['shell', '--image', bed.image, ...more];
    const seen = { undone: 0, told: 0 };
    for (let nth = 1, struck = true; struck; nth += 1) {
      const { status, history, at } = await interruptAtCall(bed, args, nth);
      struck = at !== undefined;
      const [name] = await bed.instances();
      if (name === undefined) {
        seen.undone += 1;
        assert.equal(status, 130, `${at}: ${history}`);
        assert.match(history, /^Error: interrupted by SIGINT/m, at);
        assert.deepEqual(stores(bed), [], at);
        continue;
      }
      assert.equal(status, 0, `${at}: ${history}`);
      assert.match(history, /^claude in /m, at);
      if (struck && !/^Started in the background/m.test(history)) {
        seen.told += 1;
        assert.match(history, goesOn(name), at);
      }
      assert.equal((await bed.coi(['kill', name])).status, 0, at);
      await untilGone(bed.incus, name);
      await bed.coi(['clean', '--sessions', '--force']);
    }
    assert.ok(seen.undone > 3, JSON.stringify(seen));
  });

test('an interrupted restart of a persistent container stops it again or is reported', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const args = ['shell', '--persistent', '--image', bed.image];
  assert.equal((await bed.coi([...args, '--background'])).status, 0);
  const [name = ''] = await bed.instances();
  const seen = { undone: 0, told: 0 };
  for (let nth = 1, struck = true; struck; nth += 1) {
    if ((await bed.incus.instance(name))?.instance.status === 'Running')
      await stopByForce(bed.incus, name);
    const { status, history, at } = await interruptAtCall(bed, args, nth);
    struck = at !== undefined;
    assert.deepEqual(await bed.instances(), [name], at);
    assert.equal(stores(bed).length, 1, at);
    const runs = (await bed.incus.instance(name))?.instance.status === 'Running';
    // An interrupted start must not complete later: the next one would take another slot.
    seen[runs ? 'told' : 'undone'] += 1;
    if (runs && struck) assert.match(history, goesOn(name), at);
    if (!runs) assert.match(history, /^Error: interrupted by SIGINT/m, at);
    assert.equal(status, runs ? 0 : 130, `${at}: ${history}`);
  }
  assert.ok(seen.undone > 3, JSON.stringify(seen));
});

test('an interrupted fork in the background is undone or reported, and the original keeps running', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  assert.equal((await bed.coi(['shell', '--background', '--image', bed.image])).status, 0);
  const [name = ''] = await bed.instances();
  for (let nth = 1, struck = true; struck; nth += 1) {
    const { status, history, at } = await interruptAtCall(bed, ['fork', name, '--background'], nth);
    struck = at !== undefined;
    const [copy] = (await bed.instances()).filter((other) => other !== name);
    assert.equal((await bed.incus.instance(name))?.instance.status, 'Running', at);
    if (copy === undefined) {
      assert.equal(status, 130, `${at}: ${history}`);
      assert.equal(stores(bed).length, 1, at);
      continue;
    }
    assert.match(
      history,
      new RegExp(`^Started in the background\\. Attach: coi attach ${copy}`, 'm'),
      at,
    );
    assert.equal((await bed.coi(['kill', copy])).status, 0, at);
    await untilGone(bed.incus, copy);
    await bed.coi(['clean', '--sessions', '--force']);
  }
});

test('a second Ctrl-C during cleanup says how to find leftovers', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await using relay = await openRelay();
  const env = { INCUS_SOCKET: relay.socketPath };
  const screen = bed.screen(['shell', '--image', bed.image], { env });
  relay.strikeAt(1, 'passing', /^POST \S+\/exec/, () => {
    screen.key('ctrl-c');
    relay.strikeAt(1, 'passing', /^(PUT|PATCH|GET) \S+\/instances\//, () => screen.key('ctrl-c'));
  });
  assert.equal((await screen.ended()).status, 130);
  assert.match(screen.history(), /^Interrupted again[^\n]*; `coi list` shows what is left/m);
});
