// `coi monitor`: the current activity of a session, observed from the host.
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { Option } from 'commander';
import { oneContainer } from '../../../app/targets/workspace-container.ts';
import { CoiError } from '../../../errors.ts';
import { quoted } from '../../../names.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';
import { sessionTarget } from '../../requests.ts';
import { monitorText } from '../../ui/views/monitor.ts';

interface Options extends GlobalOptions {
  format: 'text' | 'json';
  json?: boolean;
  watch?: string;
}

export function register(command: Command, app: App): void {
  command
    .argument(
      '[container]',
      'name or alias (default: $COI_CONTAINER, or the only one of the workspace)',
    )
    .addOption(
      new Option('--format <format>', 'output format').choices(['text', 'json']).default('text'),
    )
    .option('--json', 'same as --format json')
    .option(
      '--watch <seconds>',
      'refresh interval in seconds, until Ctrl-C (0: once); with --json one line each',
    )
    .action((name: string | undefined) => monitor(app, mergedOptions<Options>(command), name));
}

async function monitor(app: App, options: Options, word: string | undefined): Promise<void> {
  const seconds = parseSeconds(options.watch);
  const json = options.json || options.format === 'json';
  const { name } = await oneContainer(app, sessionTarget(options), word);
  const coid = await app.coid();
  app.io.info(`Monitoring container: ${name}`);
  for (;;) {
    const snapshot = await coid.monitor(name, { signal: app.signal });
    if (json && seconds > 0) app.io.printJsonLine(snapshot);
    else if (json) app.io.printJson(snapshot);
    else if (seconds > 0) redraw(app, monitorText(snapshot, app.io.stdoutStyle));
    else app.io.print(monitorText(snapshot, app.io.stdoutStyle).join('\n'));
    if (seconds === 0) return;
    await delayUnlessAborted(seconds * 1000, app.signal);
    if (app.signal.aborted) return;
  }
}

/** Clears the screen first if stdout is a terminal. */
export function redraw(app: App, lines: readonly string[]): void {
  if (app.io.stdout.isTTY) app.io.stdout.write('\u001b[H\u001b[2J');
  app.io.print(
    [
      ...lines,
      '',
      `Last Updated: ${app.clock.now().toLocaleTimeString()} | Press Ctrl+C to exit`,
    ].join('\n'),
  );
}

/** Returns early if the user interrupts. */
export async function delayUnlessAborted(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

/** Throws `usage`. */
export function parseSeconds(text: string | undefined): number {
  if (text === undefined) return 0;
  const value = Number(text);
  if (/^\d{1,5}(?:\.\d+)?$/.test(text)) return value;
  throw new CoiError('usage', `invalid --watch ${quoted(text)}`, {
    hint: 'Give seconds, such as 2.',
  });
}
