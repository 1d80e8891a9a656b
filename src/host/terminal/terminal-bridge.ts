// Connects the user's terminal to a remote one: raw mode, resizing, and restoring the terminal in every case.
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { TerminalTap } from './terminal-tap.ts';

export interface Remote {
  readonly stream: Duplex;
  resize(columns: number, rows: number): void;
  readonly status: Promise<number>;
  close(): void;
}

export interface Local {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  /** Filters the remote's output; default: show everything. */
  readonly filter?: ((chunk: Uint8Array) => Uint8Array) | undefined;
  /** Sees what passes. */
  readonly tap?: TerminalTap | undefined;
}

export type BridgeEnd =
  /** `detached`: tmux reported a detach (detach-detector.ts); its session still runs. */
  | { readonly kind: 'exited'; readonly status: number; readonly detached?: boolean }
  | { readonly kind: 'lost'; readonly error: Error }
  | { readonly kind: 'interrupted' };

/** Ends mouse reporting, bracketed paste, application keys; shows the cursor. */
const resetModes =
  '\u001b[?1000l\u001b[?1002l\u001b[?1003l\u001b[?1006l\u001b[?2004l\u001b[?1l\u001b>\u001b[?25h\u001b[0m';

/** Time for the terminal to answer after an interruption. */
const answersMs = 50;

const alternateOn = '\u001b[?1049h';
const alternateOff = '\u001b[?1049l';

/** Tracks whether the terminal shows its alternate screen: leaving it when it is not active would move the cursor. */
export class AlternateScreen {
  isOn = false;
  #tail = Buffer.alloc(0);

  see(chunk: Uint8Array): void {
    const text = Buffer.concat([this.#tail, chunk]);
    const [on, off] = [text.lastIndexOf(alternateOn), text.lastIndexOf(alternateOff)];
    if (on !== off) this.isOn = on > off;
    this.#tail = text.subarray(-(alternateOn.length - 1));
  }
}

/** The columns and rows of a terminal; 80 × 24 if unknown. */
export function terminalSize(stdout: NodeJS.WriteStream): { columns: number; rows: number } {
  return { columns: stdout.columns || 80, rows: stdout.rows || 24 };
}

/**
 * Connects the terminal to the remote until the command ends, the connection is lost or the signal aborts.
 * Nothing else may read the remote stream. `stdin` is paused afterwards.
 */
export async function bridgeTerminal(
  local: Local,
  remote: Remote,
  signal: AbortSignal,
): Promise<BridgeEnd> {
  const { stdin, stdout, tap } = local;
  const typed = (chunk: Buffer) => {
    tap?.input(chunk);
    if (!remote.stream.write(chunk)) stdin.pause();
  };
  const drained = () => stdin.resume();
  const { filter = (chunk) => chunk } = local;
  const alternate = new AlternateScreen();
  const shown = (chunk: Buffer) => {
    const passed = filter(chunk);
    alternate.see(passed);
    if (!stdout.write(passed)) remote.stream.pause();
    tap?.output(passed);
  };
  const caughtUp = () => remote.stream.resume();
  const resized = () => {
    const { columns, rows } = terminalSize(stdout);
    remote.resize(columns, rows);
  };
  // After the window is closed every use of the terminal fails; SIGHUP announces the end.
  const ignored = () => {};

  stdin.ref?.();
  stdin.setRawMode?.(true);
  stdin.on('data', typed).on('error', ignored);
  stdout.on('resize', resized).on('drain', caughtUp).on('error', ignored);
  remote.stream.on('data', shown).on('drain', drained).on('error', ignored);
  stdin.resume();
  // A previous reader has paused the stream.
  remote.stream.resume();
  resized();

  const end = await waitForEnd(remote, signal);

  stdin.off('data', typed);
  if (end.kind === 'interrupted') await dropAnswers(stdin);
  stdin.off('error', ignored).pause();
  stdout.off('resize', resized).off('drain', caughtUp);
  remote.stream.off('data', shown).off('drain', drained);
  try {
    stdin.setRawMode?.(false);
    if (stdout.isTTY && (end.kind !== 'exited' || end.status !== 0))
      // Without an alternate screen the cursor may be anywhere in a line.
      stdout.write(`${alternate.isOn ? alternateOff : '\r\n'}${resetModes}`);
  } catch {
    // The terminal is gone; there is nothing to restore.
  }
  // An error of the last write is emitted one turn later.
  setImmediate(() => stdout.off('error', ignored));
  stdin.unref?.();
  return end;
}

/** What the far side has just asked the terminal is still answered: it would be echoed, and be on the shell's next line. */
async function dropAnswers(stdin: Local['stdin']): Promise<void> {
  const dropped = () => {};
  stdin.on('data', dropped).resume();
  await delay(answersMs);
  stdin.off('data', dropped);
}

function waitForEnd(remote: Remote, signal: AbortSignal): Promise<BridgeEnd> {
  return new Promise((resolve) => {
    const interrupted = () => {
      resolve({ kind: 'interrupted' });
      remote.close();
    };
    if (signal.aborted) return interrupted();
    signal.addEventListener('abort', interrupted, { once: true });
    remote.status
      .then(
        (status) => resolve({ kind: 'exited', status }),
        (error: unknown) =>
          resolve({
            kind: 'lost',
            error: error instanceof Error ? error : new Error(String(error)),
          }),
      )
      .finally(() => signal.removeEventListener('abort', interrupted));
  });
}
