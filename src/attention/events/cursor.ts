// Positions in the event log: `<file>:<offset>`. Pure.
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';

/** Files of the log are numbered; the random part tells a log from one that was deleted. */
const fileName = /^(\d{8})-[0-9a-f]{8}$/;
const cursorText = /^(\d{8}-[0-9a-f]{8}):(\d{1,12})$/;

export interface Cursor {
  readonly file: string;
  /** Bytes before the next event. */
  readonly offset: number;
}

export function cursorOf({ file, offset }: Cursor): string {
  return `${file}:${offset}`;
}

/** Throws `usage`. */
export function parseCursor(text: string): Cursor {
  const [, file, offset] = cursorText.exec(text) ?? [];
  if (file !== undefined && offset !== undefined) return { file, offset: Number(offset) };
  throw new CoiError('usage', `invalid cursor ${quoted(text)}`, {
    hint: 'Use a cursor that `coi events --json` has printed.',
  });
}

export function isLogFile(name: string): boolean {
  return fileName.test(name);
}

/** The name of the file after `last`; `random`: 8 hexadecimal digits. */
export function nextLogFile(last: string | undefined, random: string): string {
  const number = Number(fileName.exec(last ?? '')?.[1] ?? 0) + 1;
  return `${String(number).padStart(8, '0')}-${random}`;
}
