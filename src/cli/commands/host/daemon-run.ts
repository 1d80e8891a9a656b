// `coi daemon run`: coid itself, in the foreground.
import type { DaemonError } from '../../../coid-api/protocol.ts';
import { CoiError } from '../../../errors.ts';
import type { App } from '../../app.ts';

export async function run(options: RunOptions, app: App): Promise<void> {
  const { reportReady } = await import('../../../host/process/detach.ts');
  const notify = options.sayReady ? reportReady : () => {};
  try {
    await runHere(options, app, () => notify('ready'));
  } catch (error) {
    const { code, message, hint } =
      error instanceof CoiError ? error : new CoiError('coid-failed', String(error));
    notify(
      JSON.stringify({ error: { code, message, ...(hint ? { hint } : {}) } } satisfies DaemonError),
    );
    throw error;
  }
}

async function runHere(options: RunOptions, app: App, ready: () => void): Promise<void> {
  const [
    { runDaemon },
    { jsonLog },
    { daemonPaths },
    { openLogFile },
    { groupId },
    { notifySystemd },
    { selfArgv },
  ] = await Promise.all([
    import('../../../daemon/run.ts'),
    import('../../../daemon/log.ts'),
    import('../../../daemon/control.ts'),
    import('../../../host/fs/meta/log-file.ts'),
    import('../../../host/install/service-socket.ts'),
    import('../../../host/process/systemd.ts'),
    import('../../../host/process/self.ts'),
  ]);
  if (app.user.uid !== 0) throw needsRootError();
  const { runDir, stateDir, logPath } = daemonPaths(app.env);
  const onRotateError = (error: unknown) => log('warning', 'log-not-put-aside', { error });
  const write = options.logFile
    ? openLogFile({ path: logPath, gid: groupId('incus-admin'), onRotateError })
    : (line: string) => void app.io.stderr.write(line);
  // coid keeps running if the reader of the log exits.
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
    leaseMs: parseNumber(app.env['COI_LEASE_MS']),
    reconcileEveryMs: parseNumber(app.env['COI_RECONCILE_EVERY_MS']),
    loginUrl: app.env['COI_TEST_LOGIN_URL'],
  });
}

function needsRootError(): CoiError {
  return new CoiError('needs-root', 'coid must run as root', {
    hint: 'Use `sudo coi daemon start`.',
  });
}

function parseNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

export interface RunOptions {
  readonly logFile?: boolean;
  readonly sayReady?: boolean;
}
