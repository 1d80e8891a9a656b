// The message of `coi send`: an argument, a file or stdin.
import { addAbortSignal, type Readable } from 'node:stream';
import { readTextFile } from '../../../app/text-file.ts';
import { messageMaxBytes } from '../../../attention/message.ts';
import { CoiError } from '../../../errors.ts';
import type { App } from '../../app.ts';

/** Throws `usage`. */
export async function messageText(
  app: App,
  { file }: { readonly file?: string },
  text: string | undefined,
): Promise<string> {
  if ((file === undefined) === (text === undefined))
    throw new CoiError('usage', 'give either a text or --file', {
      hint: 'Use - to read the message from stdin.',
    });
  if (file !== undefined)
    return readTextFile(app, file, 'the message file', app.cwd, messageMaxBytes);
  return text === '-' ? textOf(app.io.stdin, app.signal) : (text ?? '');
}

async function textOf(input: Readable, signal: AbortSignal): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of addAbortSignal(signal, input) as AsyncIterable<Buffer>) {
    parts.push(part);
    bytes += part.length;
    if (bytes > messageMaxBytes) break;
  }
  return Buffer.concat(parts).toString('utf8');
}
