// Standard streams of the commands: results on stdout, progress on stderr.
import { fstatSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { CoiError } from '../../errors.ts';
import { printableJson } from '../../names.ts';
import { printable } from '../../printable.ts';
import { interruptError, interruptSignals } from './interrupts.ts';
import { type Style, styleFor } from './style.ts';

const nothingChanged = 'nothing was changed';
const eraseLine = '\r\u001b[K';

export interface Io {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Both stdin and stdout are terminals. */
  readonly interactive: boolean;
  /** stderr is a terminal and --verbose is not given: progress is terse. */
  readonly briefStderr: boolean;
  /** stdout is a terminal and --verbose is not given: results are terse. */
  readonly briefStdout: boolean;
  /** stderr is a terminal whose last line can be overwritten. */
  readonly canOverwrite: boolean;
  /** Styles of stdout and stderr (see `styleFor`). */
  readonly stdoutStyle: Style;
  readonly stderrStyle: Style;
  /** Prints lines of the result to stdout; control characters other than colours are escaped. */
  print(text: string): void;
  printJson(value: unknown): void;
  /** Prints one line of a stream of JSON values; a string is already JSON. */
  printJsonLine(value: unknown): void;
  /** Prints a line of progress to stderr. */
  info(text: string): void;
  /** Prints a line of progress that scripts match; hidden on a terminal without --verbose. */
  detail(text: string): void;
  /** Overwrites the last line of stderr. Only if `live`. An empty text or the next line removes it. */
  overwrite(text: string): void;
  /** Columns of the terminals; 80 if unknown. */
  readonly columns: { readonly stderr: number; readonly stdout: number };
  /** `Warning: …` on stderr. */
  warn(text: string): void;
  /**
   * Asks `question [y/N]: ` on stderr and reads one line. Only y or Y (or a match of `yes`) means yes; no answer means no.
   * Throws `cancelled` if a person interrupts it; `left` describes the state then (default: nothing was changed).
   */
  confirm(question: string, yes?: RegExp, left?: string): Promise<boolean>;
  /** Asks `question: ` in the same way, and returns the line; undefined at the end of a pipe. */
  ask(question: string, left?: string): Promise<string | undefined>;
}

export function makeIo(process: {
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  env: Record<string, string | undefined>;
  /** --verbose: prints everything. */
  verbose?: boolean;
}): Io {
  // Node creates each stream on first access, and loads a third of its library for stdin.
  const { env, verbose = false } = process;
  const isTerminal = {
    1: () => isTerminalOf(1, () => process.stdout),
    2: () => isTerminalOf(2, () => process.stderr),
  };
  let overwritten = false;
  /** Removes an overwritable line first; the code that counts seconds on it prints it again. */
  const line = (fd: 1 | 2, text: string) => {
    if (overwritten) writeTo(2, process, eraseLine);
    overwritten = false;
    writeTo(fd, process, `${text}\n`);
  };
  const info = (text: string) => line(2, printable(text));
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
    get briefStderr() {
      return !verbose && isTerminal[2]();
    },
    get briefStdout() {
      return !verbose && isTerminal[1]();
    },
    get canOverwrite() {
      return env['TERM'] !== 'dumb' && isTerminal[2]();
    },
    get stdoutStyle() {
      return styleFor(process.stdout, env);
    },
    get stderrStyle() {
      return styleFor(process.stderr, env);
    },
    print: (text) => line(1, printable(text)),
    printJson: (value) => line(1, printableJson(JSON.stringify(value, null, 2))),
    printJsonLine: (value) =>
      line(1, printableJson(typeof value === 'string' ? value : JSON.stringify(value))),
    info: info,
    detail: (text) => {
      if (verbose || !isTerminal[2]()) info(text);
    },
    overwrite: (text) => {
      writeTo(2, process, `${eraseLine}${printable(text)}`);
      overwritten = text !== '';
    },
    get columns() {
      const { stdout, stderr } = process;
      return { stderr: stderr.columns || 80, stdout: stdout.columns || 80 };
    },
    warn: (text) =>
      line(2, `${styleFor(process.stderr, env).yellow('Warning:')} ${printable(text)}`),
    confirm: async (question, yes = /^[yY]$/, left = nothingChanged) =>
      yes.test((await readLine(process, `${question} [y/N]: `, left)) ?? ''),
    ask: (question, left = nothingChanged) => readLine(process, `${question}: `, left),
  };
}

/** Checks the descriptor first: pipes and files need none of Node's streams. */
function isTerminalOf(fd: 1 | 2, stream: () => NodeJS.WriteStream): boolean {
  try {
    return fstatSync(fd).isCharacterDevice() && Boolean(stream().isTTY);
  } catch {
    // A closed descriptor, or a closed terminal window.
    return false;
  }
}

/**
 * Writes to stdout (1) or stderr (2) without Node's streams, which take 10 ms to load, unless the reader is slow.
 * Output to a closed terminal, or to stderr without a reader, is dropped: the work must still be finished.
 */
function writeTo(
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
    // If stderr does not work, the error cannot be reported either.
    if (code === 'EIO' || fd === 2) return;
    if (code === 'EPIPE') throw error;
    throw new CoiError('failed', `the output could not be written: ${message}`, { cause: error });
  }
}

/**
 * The first signal ends the question, whatever other handlers there are. Throws `cancelled` then, and if a person ends the
 * input. Undefined at the end of a pipe.
 */
function readLine(
  { stdin, stderr }: { stdin: NodeJS.ReadStream; stderr: NodeJS.WriteStream },
  question: string,
  left: string,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: stdin, terminal: false });
    let isOver = false;
    const end = (settle: () => void) => {
      for (const name of interruptSignals) process.off(name, interrupted);
      settle();
      isOver = true;
      lines.close();
    };
    const interrupted = (name: (typeof interruptSignals)[number]) =>
      end(() => {
        stderr.write('\n');
        reject(interruptError(name, `; ${left}`));
      });
    for (const name of interruptSignals) process.on(name, interrupted);
    stderr.write(printable(question));
    lines.once('line', (line) => end(() => resolve(line.trim())));
    // After Ctrl-D on a terminal, the next message starts on a new line.
    lines.once('close', () =>
      end(() => {
        if (isOver || !stdin.isTTY) return resolve(undefined);
        stderr.write('\n');
        reject(new CoiError('cancelled', `there was no answer; ${left}`));
      }),
    );
  });
}
