// The whole terminal for one program: its keys, and lines of which only the changed ones are written. It is given back at
// every end of the program. Sequences: xterm's ctlseqs; synchronized output is mode 2026.
import { writeSync } from 'node:fs';
import { startRestorer, type TerminalRestorer } from './terminal-restorer.ts';

/** Alternate screen, no cursor, marked pastes, no wrapping: a line that is too wide must not move the others. */
const enter = '\u001b[?1049h\u001b[?25l\u001b[?2004h\u001b[?7l\u001b[H\u001b[2J';
const leave = '\u001b[?2026l\u001b[0m\u001b[?7h\u001b[?2004l\u001b[?25h\u001b[?1049l';
const [syncBegin, syncEnd] = ['\u001b[?2026h', '\u001b[?2026l'];

/** Within this time a stop has an effect. */
const stoppedMs = 100;

export interface ScreenFrame {
  readonly lines: readonly string[];
  /** From 0; undefined: hidden. */
  readonly cursor: { readonly row: number; readonly column: number } | undefined;
}

export interface ScreenEvents {
  readonly onInput: (text: string) => void;
  /** All is to be drawn again. */
  readonly onDraw: () => void;
  /** The terminal is closed. */
  readonly onEnd: () => void;
}

export class FullScreen implements Disposable {
  readonly #stdin: NodeJS.ReadStream;
  readonly #stdout: NodeJS.WriteStream;
  readonly #events: ScreenEvents;
  #decoder = new TextDecoder();
  #restorer: TerminalRestorer | undefined;
  #shown: readonly string[] = [];
  #isOpen = false;
  /** The terminal has not taken the last frame yet. */
  #isFull = false;

  constructor(
    { stdin, stdout }: { readonly stdin: NodeJS.ReadStream; readonly stdout: NodeJS.WriteStream },
    events: ScreenEvents,
  ) {
    this.#stdin = stdin;
    this.#stdout = stdout;
    this.#events = events;
  }

  get columns(): number {
    return this.#stdout.columns || 80;
  }

  get rows(): number {
    return this.#stdout.rows || 24;
  }

  /** Takes the terminal. */
  async open(): Promise<void> {
    this.#restorer = await startRestorer(leave);
    this.#isOpen = true;
    this.#isFull = false;
    this.#decoder = new TextDecoder();
    this.#stdin.on('data', this.#typed).on('end', this.#ended).on('error', this.#ended);
    this.#stdout.on('resize', this.#resized).on('drain', this.#drained).on('error', ignored);
    process.on('exit', this.#restoreAtExit).on('SIGCONT', this.#take).on('SIGTSTP', this.suspend);
    this.#take();
  }

  /** Gives the terminal back; `open` takes it again. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#stdin.off('data', this.#typed).off('end', this.#ended).off('error', this.#ended).pause();
    this.#stdout.off('resize', this.#resized).off('drain', this.#drained);
    process
      .off('exit', this.#restoreAtExit)
      .off('SIGCONT', this.#take)
      .off('SIGTSTP', this.suspend);
    this.#give(() => void this.#stdout.write(leave));
    // An error of the last write is emitted one turn later.
    setImmediate(() => this.#stdout.off('error', ignored));
    this.#stdin.unref?.();
    this.#restorer?.release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Stops the program as Ctrl-Z does; `fg` takes the terminal again. */
  readonly suspend = (): void => {
    if (!this.#isOpen) return;
    this.#give(() => writeSync(1, leave));
    process.off('SIGTSTP', this.suspend);
    process.kill(0, 'SIGTSTP');
    // Without a shell that could continue it, the kernel does not stop the program.
    setTimeout(() => {
      if (!this.#isOpen) return;
      process.on('SIGTSTP', this.suspend);
      this.#take();
    }, stoppedMs);
  };

  /** Writes what has changed; the lines have no control sequences but colours. False if the terminal is slow: `onDraw` is called when it has caught up. */
  draw({ lines, cursor }: ScreenFrame): boolean {
    if (!this.#isOpen || this.#isFull) return false;
    const changed = lines.flatMap((line, row) =>
      line === this.#shown[row] ? [] : [`\u001b[${row + 1};1H\u001b[0m${line}\u001b[0m\u001b[K`],
    );
    const place = cursor
      ? `\u001b[${cursor.row + 1};${cursor.column + 1}H\u001b[?25h`
      : '\u001b[?25l';
    this.#shown = lines;
    this.#isFull = !this.#stdout.write(`${syncBegin}${changed.join('')}${place}${syncEnd}`);
    return true;
  }

  /** Whatever is on the screen. */
  redraw(): void {
    if (!this.#isOpen) return;
    this.#shown = [];
    this.#stdout.write('\u001b[2J');
    this.#events.onDraw();
  }

  readonly #take = (): void => {
    try {
      this.#stdin.setRawMode?.(true);
    } catch {
      // The terminal is gone; SIGHUP follows.
    }
    this.#stdin.ref?.();
    this.#stdin.resume();
    this.#stdout.write(enter);
    this.#shown = [];
    this.#events.onDraw();
  };

  #give(write: () => void): void {
    try {
      this.#stdin.setRawMode?.(false);
      write();
    } catch {
      // The terminal is gone; there is nothing to restore.
    }
  }

  /** The program ends without another turn of the event loop. */
  readonly #restoreAtExit = (): void => {
    this.#give(() => writeSync(1, leave));
    this.#restorer?.release();
  };

  readonly #typed = (chunk: Buffer): void => {
    this.#events.onInput(this.#decoder.decode(chunk, { stream: true }));
  };

  readonly #ended = (): void => this.#events.onEnd();

  readonly #resized = (): void => this.redraw();

  readonly #drained = (): void => {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#events.onDraw();
  };
}

function ignored(): void {
  // After the window is closed every write fails; SIGHUP announces the end.
}
