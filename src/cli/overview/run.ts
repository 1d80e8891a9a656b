// Runs the overview: reads what sessions do, and does what keys ask for.
import { setTimeout as delay } from 'node:timers/promises';
import { containerOfRef, screenOf } from '../../app/attention/of-session.ts';
import { followEvents } from '../../app/events/follow-events.ts';
import { notRunning } from '../../app/targets/named-session.ts';
import { CoiError } from '../../errors.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { App } from '../app.ts';
import type { GlobalOptions } from '../command-module.ts';
import { attachTo } from '../commands/session/attach.ts';
import { doEffect, doing } from './effects.ts';
import { type Row, selectedRow } from './model.ts';
import { OverviewScreen } from './overview-screen.ts';
import { readSessions } from './rows.ts';
import type { SessionEffect } from './update.ts';

/** Sessions that change together are read together. */
const pauseMs = 200;
/** For what no event tells: attached terminals, and containers that are gone. */
const againMs = 5000;
const previewMs = 1500;

/** Returns when the user quits. Throws if Incus does not answer at the start, and the reason of the app's signal. */
export async function runOverview(app: App, options: GlobalOptions): Promise<void> {
  await new OverviewProgram(app, options).run();
}

class OverviewProgram {
  readonly #app: App;
  /** For what is done to sessions: its messages are notices. */
  readonly #quiet: App;
  /** Like `quiet`, and ends with the overview. */
  readonly #reading: App;
  readonly #options: GlobalOptions;
  readonly #screen: OverviewScreen;
  readonly #over = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  /** What is being done to sessions. */
  readonly #pending = new Set<Promise<void>>();
  #containers: ReadonlyMap<string, Container> = new Map();
  #changed = new AbortController();
  #selectionChanged = new AbortController();
  /** A session has the terminal; resolves when it is back. */
  #away: Promise<void> | undefined;

  constructor(app: App, options: GlobalOptions) {
    const nothing = () => undefined;
    const warn = (text: string) => this.#tell(text, true);
    this.#app = app;
    this.#quiet = {
      ...app,
      report: { info: nothing, detail: nothing, setup: nothing, warn },
      progress: () => ({ update: nothing, clear: nothing }),
    };
    this.#reading = {
      ...this.#quiet,
      signal: AbortSignal.any([app.signal, this.#over.signal]),
    };
    this.#options = options;
    this.#screen = new OverviewScreen(app, {
      onEffect: (effect) => {
        if (effect.kind === 'quit') this.#ended.resolve();
        else if (effect.kind === 'attach') this.#inBackground(this.#attach(effect.row));
        else this.#begin(this.#doTo(effect));
      },
      onSelect: () => this.#selectionChanged.abort(),
      onEnd: () => this.#ended.resolve(),
    });
  }

  async run(): Promise<void> {
    const { signal } = this.#app;
    await this.#readRows();
    using screen = this.#screen;
    await screen.open();
    const aborted = () => this.#ended.resolve();
    signal.addEventListener('abort', aborted, { once: true });
    if (signal.aborted) aborted();
    this.#inBackground(this.#refreshing());
    this.#inBackground(this.#previewing());
    this.#inBackground(this.#following());
    try {
      await this.#ended.promise;
    } finally {
      signal.removeEventListener('abort', aborted);
      this.#over.abort();
    }
    screen.close();
    this.#tellPending();
    await Promise.all(this.#pending);
    signal.throwIfAborted();
  }

  /** A failure that is not reported otherwise ends the overview. */
  #inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (!this.#over.signal.aborted) this.#ended.reject(error);
    });
  }

  /** It is finished even if the user quits meanwhile. */
  #begin(work: Promise<void>): void {
    this.#inBackground(work);
    this.#pending.add(work);
    const over = () => void this.#pending.delete(work);
    work.then(over, over);
  }

  #tellPending(): void {
    const { rows, busy } = this.#screen.overview;
    for (const { id, called } of rows)
      if (busy.has(id)) this.#app.io.info(`${called}: ${busy.get(id)}...`);
  }

  #tell(text: string, isProblem: boolean): void {
    if (this.#over.signal.aborted) this.#app.io.info(text);
    else this.#screen.tell({ text, isProblem });
  }

  /** Throws what is no error of a session. */
  #tellError(error: unknown): void {
    if (!(error instanceof CoiError)) throw error;
    const { message, hint } = error;
    this.#tell(`Error: ${hint === undefined ? message : `${message}. ${hint}`}`, true);
  }

  async #doTo(effect: SessionEffect): Promise<void> {
    const { row, kind } = effect;
    const container = this.#containers.get(row.id);
    if (!container) return this.#tell(`${row.called} is gone.`, true);
    this.#screen.setBusy(row.id, doing[kind]);
    try {
      const text = await doEffect(this.#quiet, refOf(container.instance), effect);
      this.#tell(text, false);
    } catch (error) {
      this.#tellError(error);
    } finally {
      this.#screen.setBusy(row.id, undefined);
      this.#changed.abort();
    }
  }

  async #attach(row: Row): Promise<void> {
    const container = this.#containers.get(row.id);
    if (!container) return;
    const back = Promise.withResolvers<void>();
    this.#away = back.promise;
    // At once: keys that follow are for the session.
    this.#screen.close();
    try {
      const found = await containerOfRef(this.#quiet, refOf(container.instance));
      if (found.status !== 'Running') throw notRunning(found);
      await attachTo(this.#app, this.#options, found);
    } catch (error) {
      this.#tellError(error);
    } finally {
      if (!this.#app.signal.aborted) await this.#screen.open();
      this.#away = undefined;
      back.resolve();
      this.#changed.abort();
    }
  }

  async #readRows(): Promise<void> {
    const { rows, containers } = await readSessions(this.#reading);
    this.#containers = containers;
    this.#screen.show({ rows });
  }

  async #refreshing(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      await this.#away;
      this.#changed = new AbortController();
      await this.#readRows().catch((error: unknown) => this.#tellError(error));
      await pause(pauseMs, signal);
      await pause(againMs, AbortSignal.any([signal, this.#changed.signal]));
    }
  }

  /** Without the event log the sessions are still read every few seconds. */
  async #following(): Promise<void> {
    try {
      for await (const _ of followEvents(this.#reading, undefined, this.#over.signal))
        this.#changed.abort();
    } catch (error) {
      if (this.#over.signal.aborted) return;
      const text = error instanceof Error ? error.message : String(error);
      this.#tell(`Changes are seen late: ${text}`, true);
    }
  }

  async #previewing(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      await this.#away;
      this.#selectionChanged = new AbortController();
      const row = selectedRow(this.#screen.overview);
      const container = row && this.#containers.get(row.id);
      if (row && container?.status === 'Running') await this.#readPreview(row, container);
      await pause(previewMs, AbortSignal.any([signal, this.#selectionChanged.signal]));
    }
  }

  /** A screen that cannot be read is not shown: there may be none. */
  async #readPreview({ id }: Row, { instance }: Container): Promise<void> {
    let lines: readonly string[] = [];
    try {
      lines = (await screenOf(this.#reading, refOf(instance))).split('\n');
    } catch (error) {
      if (!(error instanceof CoiError)) throw error;
    }
    this.#screen.show({ preview: { id, lines } });
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
