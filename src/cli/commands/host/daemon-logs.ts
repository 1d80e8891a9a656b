// `coi daemon logs`: the end of coid's log.
import { CoiError, ExitStatus, errorCodes } from '../../../errors.ts';
import { quoted } from '../../../names.ts';
import type { App } from '../../app.ts';

export async function logs({ follow, lines }: LogsOptions, app: App): Promise<void> {
  const { daemonPaths } = await import('../../../daemon/control.ts');
  const { tailFile, lastLines } = await import('../../../host/fs/meta/log-file.ts');
  const { logPath } = daemonPaths(app.env);
  if (!/^\d{1,6}$/.test(lines))
    throw new CoiError('usage', `invalid --lines ${quoted(lines)}`, { hint: 'Use a number.' });
  try {
    for (const line of lastLines(logPath, Number(lines))) app.io.print(line);
    if (follow) await tailFile(logPath, (line) => app.io.print(line), app.signal);
  } catch (cause) {
    throw logFailure(cause, logPath);
  }
  if (follow) throw new ExitStatus(errorCodes.cancelled.exit);
}

function logFailure(cause: unknown, path: string): unknown {
  switch ((cause as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return new CoiError('failed', `no log at ${path} yet`, {
        hint: 'Start coid with `coi daemon start` or systemd: then it writes the log.',
        cause,
      });
    case 'EACCES':
      return new CoiError('failed', `this user may not read the log ${path}`, {
        hint: 'Join the group incus-admin, or use sudo.',
        cause,
      });
    default:
      return cause;
  }
}

export interface LogsOptions {
  readonly follow?: boolean;
  readonly lines: string;
}
