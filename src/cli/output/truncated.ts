// JSON that has only the beginning of what a command printed.
import { keptBytesMax } from '../../app/run-command/limited-output.ts';
import type { Output } from '../../app/run-command/streams.ts';
import type { App } from '../app.ts';

/** What is told beside JSON that does not hold all of the output. */
export function tellTruncated(app: App, { truncated }: Output, instead: string): void {
  if (!truncated) return;
  const size = `${keptBytesMax / 2 ** 20} MiB`;
  app.io.warn(`the command printed more than ${size}; the JSON has the beginning. ${instead}`);
}
