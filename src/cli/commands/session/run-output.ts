// How the output of `coi run` is printed.
import type { RunningCommand } from '../../../app/run-command/outcome.ts';
import { runCaptured, runJoined } from '../../../app/run-command/outcome.ts';
import type { App } from '../../app.ts';
import { tellTruncated } from '../../output/truncated.ts';
import type { RunOptions } from './run-options.ts';

/** Prints the output as it comes, or with --json when it is complete. Returns the exit status. */
export async function executed(
  app: App,
  { json, format }: RunOptions,
  container: string,
  command: RunningCommand,
  input = true,
): Promise<number> {
  if (!json && format !== 'json') return runJoined(app, command, app.io, input);
  const ran = await runCaptured(app, command);
  tellTruncated(app, ran, 'Without --json all of it is passed on.');
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
