// `coi daemon`: runs, starts and stops coid, and shows its status and log.
import type { Command } from 'commander';
import { Option } from 'commander';
import { CoiError } from '../../../errors.ts';
import { quoted } from '../../../names.ts';
import type { App } from '../../app.ts';
import { type LogsOptions, logs } from './daemon-logs.ts';
import { type RunOptions, run } from './daemon-run.ts';
import { status, statusIfRunning } from './daemon-status.ts';

export function register(command: Command, app: App): void {
  command
    .description(
      'Manage coid, the service that makes the mounts of sessions, assigns their addresses and cleans up after them',
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
    // As the default subcommand it also receives unknown subcommands, which get a better error than commander's.
    .allowExcessArguments()
    .action((options: RunOptions, { args }: Command) => {
      if (args[0] !== undefined) throw unknownSubcommand(args[0]);
      return run(options, app);
    });
  command
    .command('start')
    .description('start coid in the background and wait until it answers')
    .option('--json', 'print the result as JSON')
    .action((options: { json?: boolean }) => start(options, app));
  command
    .command('stop')
    .description('stop coid; sessions and their mounts are kept')
    .option('--json', 'print the result as JSON')
    .action((options: { json?: boolean }) => stop(options, app));
  command
    .command('status')
    .description('show whether coid is running, and what it manages')
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) => status(options, app));
  command
    .command('logs')
    .description("show the end of coid's log")
    .option('-f, --follow', 'keep printing new lines')
    .option('-n, --lines <n>', 'number of lines', '100')
    .action((options: LogsOptions) => logs(options, app));
}

async function start({ json }: { json?: boolean }, app: App): Promise<void> {
  const running = await statusIfRunning(app);
  if (running) {
    app.io.info(`coid is already running (pid ${running.pid}).`);
    if (json) app.io.printJson({ running: true, pid: running.pid });
    return;
  }
  const { startDetached } = await import('../../../daemon/control.ts');
  const { pid, incus } = await startDetached(app.env);
  app.io.info(`coid started (pid ${pid}).`);
  if (json) app.io.printJson({ running: true, pid });
  if (incus === 'waiting') app.io.warn('Incus does not answer; coid waits for it.');
}

async function stop({ json }: { json?: boolean }, app: App): Promise<void> {
  const { stopDaemon } = await import('../../../daemon/control.ts');
  const stopped = await stopDaemon(app.env, app.signal);
  app.io.info(stopped ? 'coid stopped; sessions keep running.' : 'coid is not running.');
  if (json) app.io.printJson({ running: false, stopped });
}

function unknownSubcommand(word: string): CoiError {
  return new CoiError('usage', `unknown subcommand ${quoted(word)} of coi daemon`, {
    hint: 'Use run, start, stop, status or logs.',
  });
}
