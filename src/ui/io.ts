// The terminal as the commands see it: stdout is the answer, stderr the story.
import { createInterface } from 'node:readline';
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
  /** One line of the story. */
  tell(text: string): void;
  /** `Warning: …` on stderr. */
  warn(text: string): void;
  /** Asks `question [y/N]: ` on stderr and reads one line; only y or Y is yes, and no terminal or no answer is no. */
  confirm(question: string): Promise<boolean>;
}

export function makeIo(process: {
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  env: Record<string, string | undefined>;
}): Io {
  const { stdin, stdout, stderr, env } = process;
  const storyStyle = styleFor(stderr, env);
  return {
    stdin,
    stdout,
    stderr,
    interactive: Boolean(stdin.isTTY && stdout.isTTY),
    style: styleFor(stdout, env),
    storyStyle,
    print: (text) => void stdout.write(`${printable(text)}\n`),
    printJson: (value) => void stdout.write(`${JSON.stringify(value, null, 2)}\n`),
    tell: (text) => void stderr.write(`${printable(text)}\n`),
    warn: (text) => void stderr.write(`${storyStyle.yellow('Warning:')} ${printable(text)}\n`),
    confirm: (question) => confirm(stdin, stderr, question),
  };
}

function confirm(
  stdin: NodeJS.ReadStream,
  stderr: NodeJS.WriteStream,
  question: string,
): Promise<boolean> {
  stderr.write(`${printable(question)} [y/N]: `);
  return new Promise((resolve) => {
    const lines = createInterface({ input: stdin, terminal: false });
    lines.once('line', (line) => {
      resolve(/^[yY]$/.test(line.trim()));
      lines.close();
    });
    lines.once('close', () => resolve(false));
  });
}
