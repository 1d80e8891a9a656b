// The overview on the terminal: what it shows, and the keys of the user.
import { FullScreen } from '../../host/terminal/full-screen.ts';
import { printable } from '../../printable.ts';
import type { App } from '../app.ts';
import { frameOf } from './frame.ts';
import { type Key, parseKeys } from './keys.ts';
import { armedMs, drawn, emptyOverview, type Notice, type Overview, settled } from './model.ts';
import { onKey, type ProgramEffect } from './update.ts';

const clockMs = 1000;
/** A lone escape is the key if nothing follows. */
const escapeMs = 50;

export interface OverviewEvents {
  readonly onEffect: (effect: ProgramEffect) => void;
  readonly onSelect: () => void;
  /** The terminal is closed. */
  readonly onEnd: () => void;
}

export class OverviewScreen implements Disposable {
  readonly #app: App;
  readonly #events: OverviewEvents;
  readonly #screen: FullScreen;
  #overview: Overview = emptyOverview;
  /** Input whose end may follow. */
  #rest = '';
  #isOpen = false;
  #clock: NodeJS.Timeout | undefined;
  #escape: NodeJS.Timeout | undefined;
  #armed: NodeJS.Timeout | undefined;

  constructor(app: App, events: OverviewEvents) {
    this.#app = app;
    this.#events = events;
    this.#screen = new FullScreen(app.io, {
      onInput: (text) => this.#onInput(text),
      onDraw: () => this.#draw(),
      onEnd: events.onEnd,
    });
  }

  get overview(): Overview {
    return this.#overview;
  }

  async open(): Promise<void> {
    this.#isOpen = true;
    this.#clock = setInterval(() => this.#draw(), clockMs);
    await this.#screen.open();
  }

  close(): void {
    this.#isOpen = false;
    this.#rest = '';
    clearInterval(this.#clock);
    clearTimeout(this.#escape);
    clearTimeout(this.#armed);
    this.#screen.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  show(change: Partial<Overview>): void {
    const before = this.#overview;
    const next = settled(before, { ...before, ...change }, this.#nowMs());
    this.#overview = next;
    if (next.selected !== before.selected) this.#events.onSelect();
    if (this.#isOpen && next.seen?.sinceMs !== before.seen?.sinceMs) {
      clearTimeout(this.#armed);
      this.#armed = setTimeout(() => this.#draw(), armedMs);
    }
    this.#draw();
  }

  tell(notice: Notice): void {
    this.show({ notice });
  }

  setBusy(id: string, word: string | undefined): void {
    const busy = new Map(this.#overview.busy);
    if (word === undefined) busy.delete(id);
    else busy.set(id, word);
    this.show({ busy });
  }

  #draw(): void {
    const { columns, rows } = this.#screen;
    const { home } = this.#app.user;
    const facts = { columns, rows, nowMs: this.#nowMs(), home, style: this.#app.io.stdoutStyle };
    const frame = frameOf(this.#overview, facts);
    // Texts of agents are one line each already; this is the last guard of the terminal.
    const lines = frame.lines.map(printable);
    if (this.#screen.draw({ ...frame, lines })) this.#overview = drawn(this.#overview, frame.shown);
  }

  #nowMs(): number {
    return this.#app.clock.now().getTime();
  }

  #onInput(text: string): void {
    clearTimeout(this.#escape);
    this.#onKeys(this.#rest + text, false);
    if (this.#rest !== '')
      this.#escape = setTimeout(() => this.#onKeys(this.#rest, true), escapeMs);
  }

  #onKeys(text: string, isLast: boolean): void {
    const { keys, rest } = parseKeys(text, isLast);
    this.#rest = rest;
    // A key may close the overview: those that follow are not for it.
    for (const key of keys) if (this.#isOpen) this.#onKey(key);
  }

  #onKey(key: Key): void {
    const { overview, effect } = onKey(this.#overview, key, this.#nowMs());
    this.show(overview);
    if (effect?.kind === 'redraw') this.#screen.redraw();
    else if (effect?.kind === 'suspend') this.#screen.suspend();
    else if (effect) this.#events.onEffect(effect);
  }
}
