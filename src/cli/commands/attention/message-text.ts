// The message of `coi send`: an argument, a file or stdin.
import { inputBytes } from '../../../app/files/input-bytes.ts';
import { readTextFile } from '../../../app/text-file.ts';
import { messageMaxBytes, tooLong } from '../../../attention/message.ts';
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
  if (text !== '-') return text ?? '';
  const { signal } = app;
  const bytes = await inputBytes(app.io.stdin, { maxBytes: messageMaxBytes, signal });
  if (bytes === undefined) throw tooLong();
  return bytes.toString('utf8');
}
