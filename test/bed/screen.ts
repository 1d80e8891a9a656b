// A simulated user terminal: a program on a real pty and its screen content.
import { constants } from 'node:os';
import { type IPty, spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';
import { keySequence } from './keys.ts';

export interface ScreenOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly columns?: number;
  readonly rows?: number;
}

export interface ScreenEnd {
  /** The exit status, or 128 + the signal's number. */
  readonly status: number;
  /** `performance.now()` when the end was noticed. */
  readonly atMs: number;
}

export interface Screen {
  readonly pid: number;
  /** Settles when the program has ended and all its output is on the screen. */
  readonly exit: Promise<ScreenEnd>;
  /** The visible screen; wrapped lines are joined, trailing blanks removed. */
  text(): string;
  /** The last 5000 lines, without the alternate screen. */
  history(): string;
  /** All bytes that the program wrote, as text. */
  output(): string;
  /** Resolves with the screen once the pattern appears; rejects on timeout or if the program ends without it. */
  waitFor(pattern: string | RegExp, limitMs?: number): Promise<string>;
  /** Like waitFor() for any condition on the screen; `what` names it in the error. */
  waitUntil(what: string, shown: (text: string) => boolean, limitMs?: number): Promise<string>;
  /** Resolves when the program ends; rejects on timeout. */
  ended(limitMs?: number): Promise<ScreenEnd>;
  type(text: string): void;
  /** For example `ctrl-b d` or `enter`. */
  key(keys: string): void;
  resize(columns: number, rows: number): void;
  /** Signals only the program. */
  kill(signal: NodeJS.Signals): void;
  /** Closes the terminal like a closed window: the kernel sends SIGHUP to its programs. */
  hangUp(): void;
  /** Kills the program and its children if they run, and disposes of the terminal. */
  close(): Promise<void>;
}

/** Against hangs, not busy machines: a test that claims a time measures it. */
const defaultLimitMs = 45_000;

/** Starts a program on a new terminal; its process id is `pid`. */
export function startScreen(argv: readonly string[], options: ScreenOptions): Screen {
  const { columns = 100, rows = 30, cwd } = options;
  const [file, ...args] = argv;
  if (file === undefined) throw new Error('an empty command');
  const name = options.env['TERM'] ?? 'xterm-256color';
  const pty = spawn(file, args, { cols: columns, rows, cwd, env: { ...options.env }, name });
  const terminal = new xterm.Terminal({
    cols: columns,
    rows,
    scrollback: 5000,
    allowProposedApi: true,
  });
  return screenOf(pty, terminal);
}

function screenOf(pty: IPty, terminal: xterm.Terminal): Screen {
  let output = '';
  let end: ScreenEnd | undefined;
  const watchers = new Set<() => void>();
  const changed = () => {
    for (const watcher of [...watchers]) watcher();
  };
  pty.onData((data) => {
    output += data;
    terminal.write(data, changed);
  });
  // A terminal answers queries of the program; tmux sends some at its start.
  terminal.onData((data) => {
    if (end === undefined) pty.write(data);
  });
  const exit = new Promise<ScreenEnd>((resolve) => {
    pty.onExit(({ exitCode, signal }) => {
      const seen = { status: signal ? 128 + signal : exitCode, atMs: performance.now() };
      terminal.write('', () => {
        end = seen;
        resolve(seen);
        changed();
      });
    });
  });
  const text = () => lines(terminal, terminal.buffer.active.baseY);
  const history = () => lines(terminal, 0);
  const waitUntil = (what: string, shown: (text: string) => boolean, limitMs = defaultLimitMs) =>
    new Promise<string>((resolve, reject) => {
      const settle = (done: () => void) => {
        watchers.delete(look);
        clearTimeout(limit);
        done();
      };
      const fail = (why: string) =>
        settle(() => reject(new Error(`${why} ${what}; the screen:\n${history()}`)));
      const look = () => {
        const now = text();
        if (shown(now)) settle(() => resolve(now));
        else if (end !== undefined) fail(`the program ended (status ${end.status}) without`);
      };
      const limit = setTimeout(() => fail(`not within ${limitMs} ms:`), limitMs);
      watchers.add(look);
      look();
    });
  const kill = (signal: NodeJS.Signals, pid = pty.pid) => {
    if (end !== undefined) return;
    try {
      process.kill(pid, signal);
    } catch (error) {
      // It has just exited, and its terminal has not reported it yet.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  return {
    pid: pty.pid,
    exit,
    text,
    history,
    output: () => output,
    waitUntil,
    waitFor: (pattern, limitMs) =>
      waitUntil(String(pattern), (now) => matches(now, pattern), limitMs),
    ended: (limitMs) => endWithin(exit, limitMs ?? defaultLimitMs, history),
    type: (typed) => pty.write(typed),
    key: (keys) => pty.write(keySequence(keys)),
    resize: (columns, rows) => {
      terminal.resize(columns, rows);
      pty.resize(columns, rows);
    },
    kill,
    hangUp: () => (pty as IPty & { destroy(): void }).destroy(),
    close: async () => {
      // The group, since a shell that records modes has the program as its child.
      kill('SIGKILL', -pty.pid);
      await exit;
      terminal.dispose();
    },
  };
}

function matches(text: string, pattern: string | RegExp): boolean {
  return typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text);
}

async function endWithin(
  exit: Promise<ScreenEnd>,
  limitMs: number,
  shown: () => string,
): Promise<ScreenEnd> {
  let limit: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    limit = setTimeout(
      () =>
        reject(new Error(`the program runs still after ${limitMs} ms; the screen:\n${shown()}`)),
      limitMs,
    );
  });
  try {
    return await Promise.race([exit, late]);
  } finally {
    clearTimeout(limit);
  }
}

function lines(terminal: xterm.Terminal, from: number): string {
  const buffer = terminal.buffer.active;
  const found: string[] = [];
  for (let row = from; row < buffer.length; row += 1) {
    const line = buffer.getLine(row);
    if (line === undefined) continue;
    const shown = line.translateToString(true);
    if (line.isWrapped && found.length > 0) found.push(`${found.pop()}${shown}`);
    else found.push(shown);
  }
  return found.join('\n').trimEnd();
}

/** The exit status that a shell reports for a program ended by a signal. */
export function statusOfSignal(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}
