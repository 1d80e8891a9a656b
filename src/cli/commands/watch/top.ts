// `coi top`: the resource use of running sessions.
import type { Command } from 'commander';
import { Option } from 'commander';
import { ownContainers } from '../../../app/targets/user-containers.ts';
import { oneContainer } from '../../../app/targets/workspace-container.ts';
import type { Snapshot } from '../../../monitor/snapshot.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';
import { sessionTarget } from '../../requests.ts';
import { type TopOrder, topJson, topText } from '../../ui/views/top.ts';
import { delayUnlessAborted, parseSeconds, redraw } from './monitor.ts';

interface Options extends GlobalOptions {
  interval?: string;
  watch?: string;
  sort: TopOrder;
  procs?: boolean;
  json?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .argument('[container]', 'show only this container (name or alias)')
    .option('-i, --interval <seconds>', 'refresh interval in seconds (default: 2 on a terminal)')
    .option('--watch <seconds>', 'same as --interval')
    .addOption(
      new Option('--sort <column>', 'column to sort by')
        .choices(['cpu', 'mem', 'disk', 'net'])
        .default('cpu'),
    )
    .option('--procs', 'also show the processes, with their PIDs on the host')
    .option('--json', 'print JSON once, or with --watch one line each time')
    .action((name: string | undefined) => top(app, mergedOptions<Options>(command), name));
}

async function top(app: App, options: Options, word: string | undefined): Promise<void> {
  const interval = options.watch ?? options.interval;
  // Without a terminal and as JSON it is printed once by default.
  const defaultSeconds = app.io.stdout.isTTY && !options.json ? 2 : 0;
  const seconds = interval === undefined ? defaultSeconds : parseSeconds(interval);
  const only =
    word === undefined ? undefined : (await oneContainer(app, sessionTarget(options), word)).name;
  const coid = await app.coid();
  for (;;) {
    const { signal } = app;
    const sessions =
      only === undefined
        ? await allSnapshots(app, options)
        : [await coid.monitor(only, { signal })];
    const view = { sort: options.sort, processes: options.procs ?? only !== undefined };
    if (options.json && seconds > 0) app.io.printJsonLine(topJson(sessions, view));
    else if (options.json) app.io.printJson(topJson(sessions, view));
    else if (seconds > 0) redraw(app, topText(sessions, view, app.io.stdoutStyle));
    else app.io.print(topText(sessions, view, app.io.stdoutStyle).join('\n'));
    if (seconds === 0) return;
    await delayUnlessAborted(seconds * 1000, signal);
    if (signal.aborted) return;
  }
}

/** The sessions, and the user's other running containers. */
async function allSnapshots(app: App, options: Options): Promise<Snapshot[]> {
  const { signal } = app;
  const coid = await app.coid();
  const [sessions, all] = await Promise.all([
    coid.monitors({ signal }),
    ownContainers(app, options),
  ]);
  const others = all.filter(({ adopted, status }) => adopted && status === 'Running');
  const snapshots = others.map(({ name }) => coid.monitor(name, { signal }));
  const settled = await Promise.allSettled(snapshots);
  // A container that is being deleted does not fail the table.
  return [...sessions, ...settled.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))];
}
