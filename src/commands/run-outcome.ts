// How a command of `coi run` is started as the agent's user, and what becomes of its output.
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { runnerIn } from '../host/resources.ts';
import { guestHome, guestTerm, type Handed, plainEnvironment } from '../session/environment.ts';
import type { Start } from '../session/handover.ts';
import { outputOf, passOn, tellTruncated } from './pass-on.ts';

export interface OutcomeOptions {
  timeout?: string;
  json?: boolean;
  format?: string;
}

/** A starter as the agent's user. */
export async function starting(app: App, container: string, target: string): Promise<Start> {
  const incus = await app.incus();
  const request = {
    command: runnerIn(target),
    environment: plainEnvironment(guestHome, 'code', guestTerm(app.env['TERM'])),
    cwd: '/',
    user: 1000,
    group: 1000,
  };
  return (signal) => incus.execPiped(container, request, { signal });
}

/** As timeout(1) and others say it. */
const timedOutStatus = 124;

/**
 * Runs to the end, printing as it comes or, for --json, at the end; returns the status. An interrupt and the limit end
 * the command. Throws `timeout`, or what the interrupt means.
 */
export async function outcome(
  app: App,
  { json, format, timeout = '' }: OutcomeOptions,
  container: string,
  start: Start,
  handed: Handed,
  limitMs: number | undefined,
  input = true,
): Promise<number> {
  const begunMs = app.clock.elapsedMs();
  const late = new AbortController();
  const over = () =>
    late.abort(
      new CoiError(
        'timeout',
        `the command did not end within ${timeout}${/^\d+$/.test(timeout) ? ' s' : ''}`,
        { exit: timedOutStatus },
      ),
    );
  const limit = limitMs === undefined ? undefined : setTimeout(over, limitMs);
  const signal = AbortSignal.any([app.signal, late.signal]);
  try {
    if (!json && format !== 'json') return await passOn(app, start, handed, { input, signal });
    const said = await outputOf(app, start, handed, { signal });
    tellTruncated(app, said, 'Without --json all of it is passed on.');
    app.io.printJson({
      container,
      exit_code: said.status,
      stdout: said.stdout,
      stderr: said.stderr,
      ...(said.truncated && { truncated: true }),
      duration_ms: Math.round(app.clock.elapsedMs() - begunMs),
    });
    return said.status;
  } finally {
    clearTimeout(limit);
  }
}
