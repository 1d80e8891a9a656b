// `coi daemon`: runs, starts, stops and shows coid.
import type { Command } from 'commander';
import { Option } from 'commander';
import { CoiError } from '../../../errors.ts';
import { quoted } from '../../../names.ts';
import type { App } from '../../app.ts';
import { type LogsOptions, logs } from './daemon-logs.ts';
import { type RunOptions, run } from './daemon-run.ts';
import { status, statusIfAny } from './daemon-status.ts';

export function register(command: Command, app: App): void {
  command
    .description(
      'Manage coid, the service that makes the mounts of sessions, gives out their addresses and finishes them',
    )
    .addHelpText(
      'after',
      '\nWithout a subcommand it runs in the foreground, like `coi daemon run`.',
    );
  command
    .command('run', { isDefault: true })
    .description('run coid in the foreground (as root) until it is interrupted')
    .option('--log-file', 'log to the log file instead of to stderr')
    .addOption(new Option('--say-ready').hideHelp())
    // As the default it is also handed what is no subcommand; that deserves a better answer than commander's.
    .allowExcessArguments()
    .action((options: RunOptions, { args }: Command) => {
      if (args[0] !== undefined) throw unknownSubcommand(args[0]);
      return run(options, app);
    });
  command
    .command('start')
    .description('start coid in the background and wait until it answers')
    .option('--json', 'print whether it runs as JSON')
    .action((options: { json?: boolean }) => start(options, app));
  command
    .command('stop')
    .description('end coid; sessions and their mounts stay')
    .option('--json', 'print whether it ran as JSON')
    .action((options: { json?: boolean }) => stop(options, app));
  command
    .command('status')
    .description('show whether coid answers, and what it looks after')
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) => status(options, app));
  command
    .command('logs')
    .description("show the end of coid's log")
    .option('-f, --follow', 'go on with what is added')
    .option('-n, --lines <n>', 'how many lines', '100')
    .action((options: LogsOptions) => logs(options, app));
}

async function start({ json }: { json?: boolean }, app: App): Promise<void> {
  const running = await statusIfAny(app);
  if (running) {
    app.io.tell(`coid is running already (process ${running.pid}).`);
    if (json) app.io.printJson({ running: true, pid: running.pid });
    return;
  }
  const { startDetached } = await import('../../../daemon/control.ts');
  const { pid, incus } = await startDetached(app.env);
  app.io.tell(`coid started (process ${pid}).`);
  if (json) app.io.printJson({ running: true, pid });
  if (incus === 'waiting') app.io.warn('Incus does not answer; coid waits for it.');
}

async function stop({ json }: { json?: boolean }, app: App): Promise<void> {
  const { stopDaemon } = await import('../../../daemon/control.ts');
  const stopped = await stopDaemon(app.env, app.signal);
  app.io.tell(stopped ? 'coid stopped; sessions go on.' : 'coid is not running.');
  if (json) app.io.printJson({ running: false, stopped });
}

function unknownSubcommand(word: string): CoiError {
  return new CoiError('usage', `coi daemon has no subcommand ${quoted(word)}`, {
    hint: 'It has run, start, stop, status and logs.',
  });
}
