// Runs a command of `coi run` as the agent's user, and passes on or captures its output.
import { asAgent } from '../../guest-user.ts';
import { runnerCommand } from '../../host/install/resources.ts';
import type { StartExec } from '../../session/lifecycle/secret-handover.ts';
import {
  guestHome,
  guestTerm,
  type Handover,
  plainEnvironment,
} from '../../session/plan/environment.ts';
import type { AppContext } from '../context.ts';
import { captureStreams, connectStreams, type Output, type Streams } from './streams.ts';
import { type TimeLimit, withTimeLimit } from './time-limit.ts';

/** Returns a function that starts the command as the agent's user. */
export async function commandStarter(
  app: AppContext,
  container: string,
  target: string,
): Promise<StartExec> {
  const incus = await app.incus();
  const request = {
    command: runnerCommand(target),
    environment: plainEnvironment(guestHome, 'code', guestTerm(app.env['TERM'])),
    cwd: '/',
    ...asAgent,
  };
  return (signal) => incus.execPiped(container, request, { signal });
}

export interface RunningCommand {
  readonly start: StartExec;
  readonly handed: Handover;
  readonly limit: TimeLimit | undefined;
}

/**
 * Runs the command with these streams and returns its exit status. Without `input` its stdin is empty.
 * An interrupt and the limit end the command. Throws `timeout`, or the reason of the interrupt.
 */
export function runJoined(
  app: AppContext,
  { start, handed, limit }: RunningCommand,
  streams: Streams,
  input = true,
): Promise<number> {
  return withTimeLimit(app.signal, limit, timedOut, (signal) =>
    connectStreams(app, streams, start, handed, { input, signal }),
  );
}

export interface CapturedRun extends Output {
  readonly tookMs: number;
}

/** Runs the command and captures its output, up to a limit. */
export async function runCaptured(
  app: AppContext,
  { start, handed, limit }: RunningCommand,
): Promise<CapturedRun> {
  const begunMs = app.clock.elapsedMs();
  const output = await withTimeLimit(app.signal, limit, timedOut, (signal) =>
    captureStreams(app, start, handed, { signal }),
  );
  return { ...output, tookMs: Math.round(app.clock.elapsedMs() - begunMs) };
}

function timedOut({ text }: TimeLimit): string {
  return `the command did not end within ${text}`;
}
