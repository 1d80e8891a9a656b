// Random sequences of what people do with three slots, on the real Incus, against a model of what must be true after each.
// A failure is shrunk to the shortest sequence that still fails and printed with the variables that repeat it:
// COI_TEST_SEED and COI_TEST_PATH (fast-check's seed and path), COI_TEST_REPLAY (the path through the commands).
// COI_TEST_SEQUENCES makes the run longer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Bed, makeBed } from '../bed/bed.ts';
import type { Screen } from '../bed/screen.ts';
import {
  conversationText,
  endMs,
  metadataOf,
  prompt,
  sendMessage,
  sessionId,
  startMs,
} from './conversation.ts';
import {
  applyEvent,
  type Event,
  events,
  initialModel,
  isPossible,
  type Model,
  type Slot,
} from './model.ts';

const env = process.env;
const sequences = Number(env['COI_TEST_SEQUENCES'] ?? 2);
/** Of the commands that are drawn, about a third are possible when their turn comes. */
const commandsMax = 40;
const eventsMin = 10;
/** Shrinking ends then, with the shortest failure that was found. */
const limitMs = sequences * 60_000 + 240_000;

test('random sequences over three slots match the model', {
  timeout: limitMs + 120_000,
}, async (t) => {
  let done = 0;
  const commands = fc.commands(
    events.map((event) => fc.nat(9999).map((word) => new Step(event, `w${word}`, () => done++))),
    {
      maxCommands: commandsMax,
      size: 'max',
      ...(env['COI_TEST_REPLAY'] !== undefined && { replayPath: env['COI_TEST_REPLAY'] }),
    },
  );
  const property = fc.asyncProperty(commands, async (steps) => {
    await using bed = await makeBed();
    await fc.asyncModelRun(() => ({ model: { now: initialModel }, real: new Run(bed) }), steps);
  });
  const repeated = env['COI_TEST_SEED'] !== undefined;
  // The draw may be short: a run that tried next to nothing proves nothing.
  do {
    await fc.assert(property, {
      numRuns: sequences,
      interruptAfterTimeLimit: limitMs,
      ...(repeated && { seed: Number(env['COI_TEST_SEED']) }),
      ...(env['COI_TEST_PATH'] !== undefined && { path: env['COI_TEST_PATH'] }),
    });
  } while (done < eventsMin && !repeated);
  t.diagnostic(`${done} events`);
});

/** What the model is before the next step. */
interface Now {
  now: Model;
}

/** One event, as a command of fast-check. */
class Step implements fc.AsyncCommand<Now, Run> {
  readonly #event: Event;
  readonly #word: string;
  readonly #ran: () => void;

  constructor(event: Event, word: string, ran: () => void) {
    this.#event = event;
    this.#word = word;
    this.#ran = ran;
  }

  check({ now }: Readonly<Now>): boolean {
    return isPossible(now, this.#event);
  }

  async run(model: Now, real: Run): Promise<void> {
    // Words of one sequence must differ, and two draws may be equal.
    const word = `${this.#word}x${real.steps}`;
    await real.do(model.now, this.#event, word);
    model.now = applyEvent(model.now, this.#event, word);
    await real.compare(model.now);
    this.#ran();
  }

  toString(): string {
    return `${this.#event.kind} ${this.#event.slot}`;
  }
}

class Run {
  readonly #bed: Bed;
  readonly #screens = new Map<Slot, Screen>();
  /** Session ids as printed by coi. */
  readonly #ids: string[] = [];
  steps = 0;

  constructor(bed: Bed) {
    this.#bed = bed;
  }

  /** Does the event to the real thing; `model` is what was true before it. */
  async do(model: Model, { kind, slot }: Event, word: string): Promise<void> {
    this.steps += 1;
    const name = await this.#name(slot);
    const screen = this.#screens.get(slot);
    const state = model.slots[slot];
    switch (kind) {
      case 'start':
        return this.#open(slot, word, ['--slot', String(slot)]);
      case 'resume':
        return this.#open(slot, word, [
          `--resume=${this.#ids[state.session ?? 0]}`,
          '--slot',
          String(slot),
        ]);
      case 'attach': {
        const attached = this.#bed.screen(['attach', name]);
        this.#screens.set(slot, attached);
        await attached.waitFor(state.inAgent ? 'You:' : prompt, startMs);
        if (state.inAgent) await sendMessage(attached, word);
        return;
      }
      case 'detach':
        screen?.key('ctrl-b d');
        return this.#closed(slot, 0);
      case 'exit':
        await this.#toBash(model, slot);
        screen?.type('exit\r');
        return this.#closed(slot, 0);
      case 'poweroff':
        await this.#toBash(model, slot);
        screen?.type('sudo poweroff\r');
        return this.#closed(slot);
      case 'kill -9':
        screen?.kill('SIGKILL');
        return this.#closed(slot);
      case 'persist':
      case 'shutdown':
      case 'kill': {
        const { status, stderr } = await this.#bed.coi([kind, name]);
        assert.equal(status, 0, stderr);
        return kind === 'persist' ? undefined : this.#closed(slot);
      }
    }
  }

  async #open(slot: Slot, word: string, args: readonly string[]): Promise<void> {
    const screen = this.#bed.screen(['shell', '--verbose', '--image', this.#bed.image, ...args]);
    this.#screens.set(slot, screen);
    await screen.waitFor('You:', startMs);
    const id = sessionId(screen);
    if (!this.#ids.includes(id)) this.#ids.push(id);
    await sendMessage(screen, word);
  }

  async #toBash(model: Model, slot: Slot): Promise<void> {
    if (!model.slots[slot].inAgent) return;
    const screen = this.#screens.get(slot);
    screen?.type('/exit\r');
    await screen?.waitFor(prompt);
  }

  /** The user of the terminal is notified within the time limit for an end. */
  async #closed(slot: Slot, status?: number): Promise<void> {
    const screen = this.#screens.get(slot);
    this.#screens.delete(slot);
    if (!screen) return;
    const end = await screen.ended(endMs);
    if (status !== undefined) assert.equal(end.status, status, screen.output());
  }

  async compare(model: Model): Promise<void> {
    const instances = await Promise.all(
      (await this.#bed.instances()).map((name) => this.#bed.incus.instance(name)),
    );
    const real = instances.flatMap((found) =>
      found
        ? [
            {
              slot: Number(found.instance.config['user.coi.slot']),
              container: found.instance.status.toLowerCase(),
              persistent: found.instance.config['user.coi.persistent'] === 'true',
              session: this.#ids.indexOf(found.instance.config['user.coi.session'] ?? ''),
            },
          ]
        : [],
    );
    const wanted = ([1, 2, 3] as const).flatMap((slot) => {
      const { container, persistent, session } = model.slots[slot];
      return container === 'none' ? [] : [{ slot, container, persistent, session }];
    });
    assert.deepEqual(real, wanted);
    for (const [at, words] of model.messages.entries()) {
      const id = this.#ids[at] ?? '';
      const text = conversationText(this.#bed, id);
      for (const word of words) assert.ok(text.includes(`"${word}"`), `${word} is lost`);
      const foreign = model.messages.flatMap((others, other) => (other === at ? [] : others));
      assert.ok(!foreign.some((word) => text.includes(`"${word}"`)), 'histories are mixed');
      assert.equal(metadataOf(this.#bed, id)['session_id'], id);
    }
  }

  async #name(slot: Slot): Promise<string> {
    const names = await this.#bed.instances();
    return names.find((name) => name.endsWith(`-${slot}`)) ?? '';
  }
}
