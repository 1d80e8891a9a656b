// How a command of `coi run` is started as the agent's user, and what becomes of its output.
import { CoiError } from '../../errors.ts';
import { asAgent } from '../../guest-user.ts';
import { runnerIn } from '../../host/install/resources.ts';
import type { Start } from '../../session/lifecycle/secret-handover.ts';
import {
  guestHome,
  guestTerm,
  type Handed,
  plainEnvironment,
} from '../../session/plan/environment.ts';
import type { AppContext } from '../context.ts';
import { type Output, outputOf, passOn, type Streams } from './streams.ts';

/** A starter as the agent's user. */
export async function starting(app: AppContext, container: string, target: string): Promise<Start> {
  const incus = await app.incus();
  const request = {
    command: runnerIn(target),
    environment: plainEnvironment(guestHome, 'code', guestTerm(app.env['TERM'])),
    cwd: '/',
    ...asAgent,
  };
  return (signal) => incus.execPiped(container, request, { signal });
}

/** As timeout(1) and others say it. */
const timedOutStatus = 124;

export interface TimeLimit {
  readonly ms: number;
  /** As it was asked for. */
  readonly text: string;
}

export interface RunningCommand {
  readonly start: Start;
  readonly handed: Handed;
  readonly limit: TimeLimit | undefined;
}

/**
 * Runs to the end, joined to those streams; returns the status. Without `input` the command finds its stdin at an end.
 * An interrupt and the limit end the command. Throws `timeout`, or what the interrupt means.
 */
export function runJoined(
  app: AppContext,
  { start, handed, limit }: RunningCommand,
  streams: Streams,
  input = true,
): Promise<number> {
  return within(app, limit, (signal) => passOn(app, streams, start, handed, { input, signal }));
}

export interface CapturedRun extends Output {
  readonly tookMs: number;
}

/** The same with its output kept, up to a limit. */
export async function runCaptured(
  app: AppContext,
  { start, handed, limit }: RunningCommand,
): Promise<CapturedRun> {
  const begunMs = app.clock.elapsedMs();
  const output = await within(app, limit, (signal) => outputOf(app, start, handed, { signal }));
  return { ...output, tookMs: Math.round(app.clock.elapsedMs() - begunMs) };
}

async function within<T>(
  app: AppContext,
  limit: TimeLimit | undefined,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const timer =
    limit &&
    setTimeout(() => {
      const message = `the command did not end within ${limit.text}`;
      late.abort(new CoiError('timeout', message, { exit: timedOutStatus }));
    }, limit.ms);
  try {
    return await run(AbortSignal.any([app.signal, late.signal]));
  } finally {
    clearTimeout(timer);
  }
}
