// `coi list --watch`: prints the list again whenever a session has changed.
import { setTimeout as delay } from 'node:timers/promises';
import { followEvents } from '../../../app/events/follow-events.ts';
import type { App } from '../../app.ts';
import type { Io } from '../../ui/io.ts';

type Printed = { readonly json: unknown } | { readonly lines: readonly string[] };

/** Sessions that change together are printed together. */
const pauseMs = 200;
/** For what no event tells: attached terminals, ages, and containers without an agent. */
const againMs = 5000;

/** Returns when the user interrupts. Throws FileError if the event log cannot be read. */
export async function watchList(app: App, read: () => Promise<Printed>): Promise<void> {
  const over = new AbortController();
  const signal = AbortSignal.any([app.signal, over.signal]);
  try {
    await untilAborted(app, read, signal);
  } finally {
    over.abort();
  }
}

async function untilAborted(
  app: App,
  read: () => Promise<Printed>,
  signal: AbortSignal,
): Promise<void> {
  let changed = new AbortController();
  const failures: unknown[] = [];
  followChanges(app, signal, () => changed.abort()).catch((error: unknown) => {
    failures.push(error);
    changed.abort();
  });
  let last = '';
  while (!signal.aborted) {
    if (failures.length > 0) throw failures[0];
    changed = new AbortController();
    const printed = await read();
    const text = 'json' in printed ? JSON.stringify(printed.json) : printed.lines.join('\n');
    if (text !== last) print(app, printed);
    last = text;
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    const early = AbortSignal.any([signal, changed.signal]);
    await delay(againMs, undefined, { signal: early }).catch(() => undefined);
  }
}

async function followChanges(app: App, signal: AbortSignal, onChange: () => void): Promise<void> {
  try {
    for await (const _ of followEvents(app, undefined, signal)) onChange();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function print({ io }: App, printed: Printed): void {
  if ('json' in printed) io.printJsonLine(printed.json);
  else if (io.stdout.isTTY) overwriteScreen(io, printed.lines);
  else io.print(`${printed.lines.join('\n')}\n`);
}

/** Line by line: a cleared screen would flicker. */
function overwriteScreen(io: Io, lines: readonly string[]): void {
  const { stdout } = io;
  const rows = Math.max(stdout.rows - 1, 1);
  const hidden = lines.length - rows + 1;
  const shown = hidden > 1 ? [...lines.slice(0, rows - 1), `… and ${hidden} more lines`] : lines;
  stdout.write('\u001b[H');
  for (const line of shown) {
    stdout.write('\u001b[K');
    io.print(line);
  }
  stdout.write('\u001b[J');
}
