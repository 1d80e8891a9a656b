// How a command of `coi run` is started as the agent's user, and what becomes of its output.
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { guestScript } from '../host/resources.ts';
import type { PipedExec } from '../incus/client.ts';
import { guestHome, guestTerm, plainEnvironment } from '../session/environment.ts';
import { outputOf, passOn } from './pass-on.ts';

export interface OutcomeOptions {
  timeout?: string;
  json?: boolean;
  format?: string;
}

/** A starter as the agent's user. */
export async function starting(
  app: App,
  container: string,
  target: string,
): Promise<() => Promise<PipedExec>> {
  const incus = await app.incus();
  const request = {
    command: ['sh', '-c', guestScript('run.sh'), 'coi-run', target],
    environment: plainEnvironment(guestHome, 'code', guestTerm(app.env['TERM'])),
    cwd: '/',
    user: 1000,
    group: 1000,
  };
  return () => incus.execPiped(container, request);
}

/** Runs to the end, printing as it comes or, for --json, at the end; returns the status. Throws `timeout`. */
export async function outcome(
  app: App,
  { json, format, timeout }: OutcomeOptions,
  container: string,
  start: () => Promise<PipedExec>,
  handed: string,
  limitMs: number | undefined,
  input = true,
): Promise<number> {
  const begunMs = app.clock.elapsedMs();
  const late = limitMs === undefined ? undefined : AbortSignal.timeout(limitMs);
  const ended =
    json || format === 'json'
      ? outputOf(app, start, handed).then(({ status, stdout, stderr }) => {
          app.io.printJson({
            container,
            exit_code: status,
            stdout: stdout.toString('utf8'),
            stderr: stderr.toString('utf8'),
            duration_ms: Math.round(app.clock.elapsedMs() - begunMs),
          });
          return status;
        })
      : passOn(app, start, handed, { input });
  if (!late) return ended;
  // When the limit was first, how the command ends is no news any more.
  ended.catch(() => {});
  const over = new Promise<never>((_, reject) =>
    late.addEventListener('abort', () =>
      reject(
        new CoiError(
          'timeout',
          `the command did not end within ${timeout}${/^\d+$/.test(timeout ?? '') ? ' s' : ''}`,
        ),
      ),
    ),
  );
  return Promise.race([ended, over]);
}
