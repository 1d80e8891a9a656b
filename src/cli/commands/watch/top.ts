// coi top: what all running sessions use.
import type { Command } from 'commander';
import { Option } from 'commander';
import { ownContainers } from '../../../app/targets/user-containers.ts';
import { oneContainer } from '../../../app/targets/workspace-container.ts';
import type { Snapshot } from '../../../monitor/snapshot.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { flagsOf } from '../../global-options.ts';
import { sessionTarget } from '../../requests.ts';
import { type TopOrder, topJson, topText } from '../../ui/views/top.ts';
import { pause, showAgain, watchSeconds } from './monitor.ts';

interface Options extends GlobalOptions {
  interval?: string;
  watch?: string;
  sort: TopOrder;
  procs?: boolean;
  json?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .argument('[container]', 'only that one, by name or alias')
    .option('-i, --interval <seconds>', 'look again that often on a terminal (2)')
    .option('--watch <seconds>', 'the same as --interval')
    .addOption(
      new Option('--sort <column>', 'what is shown first')
        .choices(['cpu', 'mem', 'disk', 'net'])
        .default('cpu'),
    )
    .option('--procs', 'the processes too, with their ids on the host')
    .option('--json', 'print JSON: once, or with --watch a line each time')
    .action((name: string | undefined) => top(app, flagsOf<Options>(command), name));
}

async function top(app: App, options: Options, word: string | undefined): Promise<void> {
  const asked = options.watch ?? options.interval;
  // On a pipe and as JSON it is printed once, unless asked otherwise.
  const usual = app.io.stdout.isTTY && !options.json ? 2 : 0;
  const seconds = asked === undefined ? usual : watchSeconds(asked);
  const only =
    word === undefined ? undefined : (await oneContainer(app, sessionTarget(options), word)).name;
  const coid = await app.coid();
  for (;;) {
    const { signal } = app;
    const sessions =
      only === undefined ? await everything(app, options) : [await coid.monitor(only, { signal })];
    const view = { sort: options.sort, processes: options.procs ?? only !== undefined };
    if (options.json && seconds > 0) app.io.printJsonLine(topJson(sessions, view));
    else if (options.json) app.io.printJson(topJson(sessions, view));
    else if (seconds > 0) showAgain(app, topText(sessions, view, app.io.style));
    else app.io.print(topText(sessions, view, app.io.style).join('\n'));
    if (seconds === 0) return;
    await pause(seconds * 1000, signal);
    if (signal.aborted) return;
  }
}

/** The sessions, and what runs of the user's besides. */
async function everything(app: App, options: Options): Promise<Snapshot[]> {
  const { signal } = app;
  const coid = await app.coid();
  const [sessions, all] = await Promise.all([
    coid.monitors({ signal }),
    ownContainers(app, options),
  ]);
  const others = all.filter(({ adopted, status }) => adopted && status === 'Running');
  const asked = others.map(({ name }) => coid.monitor(name, { signal }));
  const settled = await Promise.allSettled(asked);
  // One that is just going does not spoil the table.
  return [...sessions, ...settled.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))];
}
