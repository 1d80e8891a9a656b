// Reads what is piped into a command.
import { addAbortSignal, type Readable } from 'node:stream';

/** Undefined if there is more than `maxBytes`. Throws the reason of the signal. */
export async function inputBytes(
  input: Readable,
  { maxBytes, signal }: { readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of addAbortSignal(signal, input) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
