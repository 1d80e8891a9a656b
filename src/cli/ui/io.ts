// The terminal as the commands see it: stdout is the answer, stderr the story.
import { fstatSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { CoiError } from '../../errors.ts';
import { printableJson } from '../../names.ts';
import { printable } from '../../printable.ts';
import { interruption, interrupts } from './interruption.ts';
import { type Style, styleFor } from './style.ts';

const eraseLine = '\r\u001b[K';

export interface Io {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Both stdin and stdout are terminals. */
  readonly interactive: boolean;
  /** A person reads the story on a terminal and asked for no more of it: few words are enough. */
  readonly brief: boolean;
  /** The same for the answer. */
  readonly briefAnswer: boolean;
  /** A line of the story can be written over: a terminal that moves its cursor. */
  readonly live: boolean;
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
  /** A line of the story that scripts match and --verbose shows; a person at a terminal is spared it. */
  detail(text: string): void;
  /** Writes over the last line of the story, only where it is `live`; nothing, or the next line, takes it away. */
  overwrite(text: string): void;
  /** Columns of the terminal that stderr or stdout is; 80 where it does not say. */
  readonly columns: { readonly story: number; readonly answer: number };
  /** `Warning: …` on stderr. */
  warn(text: string): void;
  /**
   * Asks `question [y/N]: ` on stderr and reads one line; only y or Y (or what `yes` matches) is yes, no answer is no.
   * Throws `cancelled` when a person leaves it; `left` says how things are then, and by default that nothing was changed.
   */
  confirm(question: string, yes?: RegExp, left?: string): Promise<boolean>;
}

export function makeIo(process: {
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  env: Record<string, string | undefined>;
  /** --verbose: nothing is left out. */
  verbose?: boolean;
}): Io {
  // Node makes each stream when it is first touched, stdin out of a third of its library.
  const { env, verbose = false } = process;
  const isTerminal = {
    1: () => isTerminalOf(1, () => process.stdout),
    2: () => isTerminalOf(2, () => process.stderr),
  };
  let overwritten = false;
  /** A live line is taken away first; whoever counts seconds on it writes it again. */
  const line = (fd: 1 | 2, text: string) => {
    if (overwritten) put(2, process, eraseLine);
    overwritten = false;
    put(fd, process, `${text}\n`);
  };
  const tell = (text: string) => line(2, printable(text));
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
    get brief() {
      return !verbose && isTerminal[2]();
    },
    get briefAnswer() {
      return !verbose && isTerminal[1]();
    },
    get live() {
      return env['TERM'] !== 'dumb' && isTerminal[2]();
    },
    get style() {
      return styleFor(process.stdout, env);
    },
    get storyStyle() {
      return styleFor(process.stderr, env);
    },
    print: (text) => line(1, printable(text)),
    printJson: (value) => line(1, printableJson(JSON.stringify(value, null, 2))),
    printJsonLine: (value) =>
      line(1, printableJson(typeof value === 'string' ? value : JSON.stringify(value))),
    tell,
    detail: (text) => {
      if (verbose || !isTerminal[2]()) tell(text);
    },
    overwrite: (text) => {
      put(2, process, `${eraseLine}${printable(text)}`);
      overwritten = text !== '';
    },
    get columns() {
      const { stdout, stderr } = process;
      return { story: stderr.columns || 80, answer: stdout.columns || 80 };
    },
    warn: (text) =>
      line(2, `${styleFor(process.stderr, env).yellow('Warning:')} ${printable(text)}`),
    confirm: (question, yes = /^[yY]$/, left = 'nothing was changed') =>
      confirm(process, question, yes, left),
  };
}

/** Pipes and files are none, which is known without Node's streams. */
function isTerminalOf(fd: 1 | 2, stream: () => NodeJS.WriteStream): boolean {
  try {
    return fstatSync(fd).isCharacterDevice() && Boolean(stream().isTTY);
  } catch {
    // Closed, or a terminal whose window is gone.
    return false;
  }
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

/**
 * Whoever waits for an answer is ended by the first signal, whatever else listens to it. Throws `cancelled` then, and
 * where a person ends the input; the end of a pipe is no answer, and that is a no.
 */
function confirm(
  { stdin, stderr }: { stdin: NodeJS.ReadStream; stderr: NodeJS.WriteStream },
  question: string,
  yes: RegExp,
  left: string,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: stdin, terminal: false });
    let isOver = false;
    const end = (settle: () => void) => {
      for (const name of interrupts) process.off(name, interrupted);
      settle();
      isOver = true;
      lines.close();
    };
    const interrupted = (name: (typeof interrupts)[number]) =>
      end(() => {
        stderr.write('\n');
        reject(interruption(name, `; ${left}`));
      });
    for (const name of interrupts) process.on(name, interrupted);
    stderr.write(`${printable(question)} [y/N]: `);
    lines.once('line', (line) => end(() => resolve(yes.test(line.trim()))));
    // At the end of what a person types, what is said next begins a line of its own.
    lines.once('close', () =>
      end(() => {
        if (isOver || !stdin.isTTY) return resolve(false);
        stderr.write('\n');
        reject(new CoiError('cancelled', `there was no answer; ${left}`));
      }),
    );
  });
}
