// `coi daemon`: runs, starts, stops and shows coid.
import type { Command } from 'commander';
import { Option } from 'commander';
import type { App } from '../app.ts';
import type { DaemonError, DaemonStatus } from '../daemon/protocol.ts';
import { CoiError, ExitStatus, errorCodes } from '../errors.ts';
import { quoted } from '../names.ts';
import { oneLine } from '../ui/printable.ts';

interface RunOptions {
  readonly logFile?: boolean;
  readonly sayReady?: boolean;
}

interface LogsOptions {
  readonly follow?: boolean;
  readonly lines: string;
}

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

async function run(options: RunOptions, app: App): Promise<void> {
  const { sayReady } = await import('../host/detach.ts');
  const say = options.sayReady ? sayReady : () => {};
  try {
    await runHere(options, app, () => say('ready'));
  } catch (error) {
    const { code, message, hint } =
      error instanceof CoiError ? error : new CoiError('coid-failed', String(error));
    say(
      JSON.stringify({ error: { code, message, ...(hint ? { hint } : {}) } } satisfies DaemonError),
    );
    throw error;
  }
}

async function runHere(options: RunOptions, app: App, ready: () => void): Promise<void> {
  const [
    { runDaemon },
    { jsonLog },
    { daemonPlaces },
    { openLogFile },
    { groupId },
    { notifySystemd },
    { selfArgv },
  ] = await Promise.all([
    import('../daemon/run.ts'),
    import('../daemon/log.ts'),
    import('../daemon/start.ts'),
    import('../host/log-file.ts'),
    import('../host/service-socket.ts'),
    import('../host/systemd.ts'),
    import('../host/self.ts'),
  ]);
  if (app.user.uid !== 0) throw needsRoot();
  const { runDir, stateDir, logPath } = daemonPlaces(app.env);
  const told = (error: unknown) => log('warning', 'log-not-put-aside', { error });
  const write = options.logFile
    ? openLogFile({ path: logPath, gid: groupId('incus-admin'), told })
    : (line: string) => void app.io.stderr.write(line);
  // Whoever read the log may have gone; coid goes on.
  app.io.stderr.on('error', () => {});
  const log = jsonLog(write, app.clock.now, app.env['COI_DEBUG'] ? 'debug' : 'info');
  await runDaemon({
    incus: await app.incus(),
    runDir,
    stateDir,
    version: app.version,
    pid: process.pid,
    program: selfArgv(process),
    log,
    now: app.clock.now,
    elapsedMs: app.clock.elapsedMs,
    signal: app.signal,
    ready: () => {
      ready();
      notifySystemd(app.env, 'ready');
    },
    leaseMs: numberOf(app.env['COI_LEASE_MS']),
    reconcileEveryMs: numberOf(app.env['COI_RECONCILE_EVERY_MS']),
    loginUrl: app.env['COI_TEST_LOGIN_URL'],
  });
}

async function start({ json }: { json?: boolean }, app: App): Promise<void> {
  const running = await statusIfAny(app);
  if (running) {
    app.io.tell(`coid is running already (process ${running.pid}).`);
    if (json) app.io.printJson({ running: true, pid: running.pid });
    return;
  }
  const { startDetached } = await import('../daemon/start.ts');
  const { pid, incus } = await startDetached(app.env);
  app.io.tell(`coid started (process ${pid}).`);
  if (json) app.io.printJson({ running: true, pid });
  if (incus === 'waiting') app.io.warn('Incus does not answer; coid waits for it.');
}

async function stop({ json }: { json?: boolean }, app: App): Promise<void> {
  const { stopDaemon } = await import('../daemon/start.ts');
  const stopped = await stopDaemon(app.env, app.signal);
  app.io.tell(stopped ? 'coid stopped; sessions go on.' : 'coid is not running.');
  if (json) app.io.printJson({ running: false, stopped });
}

async function status({ json }: { json?: boolean }, app: App): Promise<void> {
  const found = await (await app.coid()).status({ signal: app.signal });
  if (json) return app.io.printJson(found);
  for (const line of statusText(found)) app.io.print(line);
}

/** Lines for people. */
export function statusText(status: DaemonStatus): string[] {
  return [
    `coid ${status.version} runs as process ${status.pid} since ${new Date(status.startedAt).toLocaleString('sv-SE')}`,
    `Incus:        ${status.incus}`,
    `Bridge:       ${status.bridge || '-'}`,
    `Sessions:     ${status.sessions}`,
    `Reservations: ${status.leases}`,
    `Guarded:      ${status.guardFailure === undefined ? status.guarded : `NOT AS IT SHOULD BE: ${oneLine(status.guardFailure)}`}`,
  ];
}

async function logs({ follow, lines }: LogsOptions, app: App): Promise<void> {
  const { daemonPlaces } = await import('../daemon/start.ts');
  const { followFile, lastLines } = await import('../host/log-file.ts');
  const { logPath } = daemonPlaces(app.env);
  if (!/^\d{1,6}$/.test(lines))
    throw new CoiError('usage', `invalid --lines ${quoted(lines)}`, { hint: 'Give a number.' });
  try {
    for (const line of lastLines(logPath, Number(lines))) app.io.print(line);
    if (follow) await followFile(logPath, (line) => app.io.print(line), app.signal);
  } catch (cause) {
    throw logFailure(cause, logPath);
  }
  if (follow) throw new ExitStatus(errorCodes.cancelled.exit);
}

function logFailure(cause: unknown, path: string): unknown {
  switch ((cause as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return new CoiError('failed', `there is no log at ${path} yet`, {
        hint: 'It is written by a coid that `coi daemon start` or systemd started.',
        cause,
      });
    case 'EACCES':
      return new CoiError('failed', `the log ${path} may not be read by this user`, {
        hint: 'Join the group incus-admin, or use sudo.',
        cause,
      });
    default:
      return cause;
  }
}

async function statusIfAny(app: App): Promise<DaemonStatus | undefined> {
  try {
    return await (await app.coid()).status({ signal: app.signal });
  } catch (error) {
    if (error instanceof CoiError && error.code === 'coid-unreachable') return undefined;
    throw error;
  }
}

function unknownSubcommand(word: string): CoiError {
  return new CoiError('usage', `coi daemon has no subcommand ${quoted(word)}`, {
    hint: 'It has run, start, stop, status and logs.',
  });
}

function needsRoot(): CoiError {
  return new CoiError('needs-root', 'coid has to run as root', {
    hint: 'Use `sudo coi daemon start`.',
  });
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
