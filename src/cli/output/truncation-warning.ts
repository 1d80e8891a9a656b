// The warning about truncated output in JSON.
import { outputBytesDefault } from '../../app/run-command/limited-output.ts';
import type { Output } from '../../app/run-command/streams.ts';
import type { App } from '../app.ts';

/** Warns if the JSON does not contain all of the output. */
export function warnTruncated(app: App, { truncated }: Output, instead: string): void {
  if (!truncated) return;
  const size = `${outputBytesDefault / 2 ** 20} MiB`;
  app.io.warn(`the command printed more than ${size}; the JSON is truncated. ${instead}`);
}
