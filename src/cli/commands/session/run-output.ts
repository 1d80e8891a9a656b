// The output of `coi run`.
import type { RunningCommand } from '../../../app/run-command/execute.ts';
import { runCaptured, runJoined } from '../../../app/run-command/execute.ts';
import type { App } from '../../app.ts';
import { warnTruncated } from '../../output/truncation-warning.ts';
import type { RunOptions } from './run-options.ts';

/** Streams the output, or with --json prints it after the command has exited. Returns the exit status. */
export async function execute(
  app: App,
  { json, format }: RunOptions,
  container: string,
  command: RunningCommand,
  input = true,
): Promise<number> {
  if (!json && format !== 'json') return runJoined(app, command, app.io, input);
  const ran = await runCaptured(app, command);
  warnTruncated(app, ran, 'Without --json all of it is printed.');
  app.io.printJson({
    container,
    exit_code: ran.status,
    stdout: ran.stdout,
    stderr: ran.stderr,
    ...(ran.truncated && { truncated: true }),
    duration_ms: ran.tookMs,
  });
  return ran.status;
}
