// The terminal as the commands see it: stdout is the answer, stderr the story.
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { CoiError } from '../errors.ts';
import { printableJson } from '../names.ts';
import { printable } from './printable.ts';
import { type Style, styleFor } from './style.ts';

export interface Io {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Both stdin and stdout are terminals. */
  readonly interactive: boolean;
  /** Styles for stdout and for stderr; plain where that is no terminal or NO_COLOR is set. */
  readonly style: Style;
  readonly storyStyle: Style;
  /** One line (or several) of the answer, without control characters other than colour. */
  print(text: string): void;
  printJson(value: unknown): void;
  /** One line of a stream of JSON values; a string is one already. */
  printJsonLine(value: unknown): void;
  /** One line of the story. */
  tell(text: string): void;
  /** `Warning: …` on stderr. */
  warn(text: string): void;
  /** Asks `question [y/N]: ` on stderr and reads one line; only y or Y (or what `yes` matches) is yes, no answer is no. */
  confirm(question: string, yes?: RegExp): Promise<boolean>;
}

export function makeIo(process: {
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  env: Record<string, string | undefined>;
}): Io {
  // Node makes each stream when it is first touched, stdin out of a third of its library.
  const { env } = process;
  return {
    get stdin() {
      return process.stdin;
    },
    get stdout() {
      return process.stdout;
    },
    get stderr() {
      return process.stderr;
    },
    get interactive() {
      return Boolean(process.stdin.isTTY && process.stdout.isTTY);
    },
    get style() {
      return styleFor(process.stdout, env);
    },
    get storyStyle() {
      return styleFor(process.stderr, env);
    },
    print: (text) => put(1, process, `${printable(text)}\n`),
    printJson: (value) => put(1, process, `${printableJson(JSON.stringify(value, null, 2))}\n`),
    printJsonLine: (value) =>
      put(
        1,
        process,
        `${printableJson(typeof value === 'string' ? value : JSON.stringify(value))}\n`,
      ),
    tell: (text) => put(2, process, `${printable(text)}\n`),
    warn: (text) =>
      put(2, process, `${styleFor(process.stderr, env).yellow('Warning:')} ${printable(text)}\n`),
    confirm: (question, yes = /^[yY]$/) => confirm(process.stdin, process.stderr, question, yes),
  };
}

/**
 * Writes to stdout (1) or stderr (2) without Node's streams, which cost 10 ms to load, unless the other side is slow.
 * What is told to a terminal whose window was closed, or to a reader of the story that has gone, goes nowhere: what is
 * being done has to be done all the same.
 */
function put(
  fd: 1 | 2,
  process: { stdout: NodeJS.WriteStream; stderr: NodeJS.WriteStream },
  text: string,
): void {
  let rest = Buffer.from(text);
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EAGAIN') {
      (fd === 1 ? process.stdout : process.stderr).write(rest);
      return;
    }
    // Where the story cannot be told, nobody can be told of that either.
    if (code === 'EIO' || fd === 2) return;
    if (code === 'EPIPE') throw error;
    throw new CoiError('failed', `the output could not be written: ${message}`, { cause: error });
  }
}

function confirm(
  stdin: NodeJS.ReadStream,
  stderr: NodeJS.WriteStream,
  question: string,
  yes: RegExp,
): Promise<boolean> {
  stderr.write(`${printable(question)} [y/N]: `);
  return new Promise((resolve) => {
    const lines = createInterface({ input: stdin, terminal: false });
    lines.once('line', (line) => {
      resolve(yes.test(line.trim()));
      lines.close();
    });
    lines.once('close', () => resolve(false));
  });
}
