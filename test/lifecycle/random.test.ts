// Random sequences of user actions on three slots with the real Incus, checked against a model after each.
// COI_TEST_SEED repeats a run; COI_TEST_SEQUENCES and COI_TEST_SECONDS make it longer.
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
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
  initialModel,
  type Model,
  possibleEvents,
  type Slot,
} from './model.ts';

const seed = Number(process.env['COI_TEST_SEED'] ?? randomInt(2 ** 31));
const sequences = Number(process.env['COI_TEST_SEQUENCES'] ?? 2);
const seconds = Number(process.env['COI_TEST_SECONDS'] ?? 30);
const eventsPerSequence = 12;

test(`random sequences over three slots keep all invariants (COI_TEST_SEED=${seed})`, {
  timeout: (seconds + 120) * 1000,
}, async (t) => {
  const random = mulberry(seed);
  const startedMs = performance.now();
  let [whole, events] = [0, 0];
  t.after(() => t.diagnostic(`${whole} whole sequences, ${events} events, seed ${seed}`));
  for (let at = 0; at < sequences && performance.now() - startedMs < seconds * 1000; at += 1) {
    await using bed = await makeBed();
    const run = new Run(bed);
    for (let step = 0; step < eventsPerSequence; step += 1) {
      if (performance.now() - startedMs > seconds * 1000) return;
      const choices = possibleEvents(run.model);
      const event = choices[Math.floor(random() * choices.length)];
      assert.ok(event);
      await run.do(event, `w${at}x${step}`);
      events += 1;
    }
    whole += 1;
  }
});

/** A small generator with a reproducible seed (Mulberry32). */
function mulberry(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

class Run {
  readonly #bed: Bed;
  readonly #screens = new Map<Slot, Screen>();
  /** Session ids as printed by coi. */
  readonly #ids: string[] = [];
  readonly #history: string[] = [];
  model: Model = initialModel;

  constructor(bed: Bed) {
    this.#bed = bed;
  }

  async do(event: Event, word: string): Promise<void> {
    this.#history.push(`${event.kind} ${event.slot}`);
    try {
      await this.#act(event, word);
      this.model = applyEvent(this.model, event, word);
      await this.#compare();
    } catch (error) {
      throw new Error(`seed ${seed}, after ${this.#history.join(', ')}`, { cause: error });
    }
  }

  async #act({ kind, slot }: Event, word: string): Promise<void> {
    const name = await this.#name(slot);
    const screen = this.#screens.get(slot);
    const state = this.model.slots[slot];
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
        await this.#toBash(slot);
        screen?.type('exit\r');
        return this.#closed(slot, 0);
      case 'poweroff':
        await this.#toBash(slot);
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

  async #toBash(slot: Slot): Promise<void> {
    if (!this.model.slots[slot].inAgent) return;
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

  async #compare(): Promise<void> {
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
      const { container, persistent, session } = this.model.slots[slot];
      return container === 'none' ? [] : [{ slot, container, persistent, session }];
    });
    assert.deepEqual(real, wanted);
    for (const [at, words] of this.model.messages.entries()) {
      const id = this.#ids[at] ?? '';
      const text = conversationText(this.#bed, id);
      for (const word of words) assert.ok(text.includes(`"${word}"`), `${word} is lost`);
      const foreign = this.model.messages.flatMap((others, other) => (other === at ? [] : others));
      assert.ok(!foreign.some((word) => text.includes(`"${word}"`)), 'histories are mixed');
      assert.equal(metadataOf(this.#bed, id)['session_id'], id);
    }
  }

  async #name(slot: Slot): Promise<string> {
    const names = await this.#bed.instances();
    return names.find((name) => name.endsWith(`-${slot}`)) ?? '';
  }
}
