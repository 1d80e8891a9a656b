// The user's terminal joined to a remote one: raw mode, sizes, and the terminal as it was in every case.
import type { Duplex } from 'node:stream';

export interface Remote {
  readonly stream: Duplex;
  resize(columns: number, rows: number): void;
  readonly status: Promise<number>;
  close(): void;
}

export interface Local {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  /** What of the remote's output is shown; everything without it. */
  readonly filter?: ((chunk: Uint8Array) => Uint8Array) | undefined;
}

export type BridgeEnd =
  /** `detached`: tmux said so (last-words.ts), and its session goes on. */
  | { readonly kind: 'exited'; readonly status: number; readonly detached?: boolean }
  | { readonly kind: 'lost'; readonly error: Error }
  | { readonly kind: 'interrupted' };

/** Ends mouse reporting, bracketed paste, application keys; shows the cursor. */
const resetModes =
  '\u001b[?1000l\u001b[?1002l\u001b[?1003l\u001b[?1006l\u001b[?2004l\u001b[?1l\u001b>\u001b[?25h\u001b[0m';

const alternateOn = '\u001b[?1049h';
const alternateOff = '\u001b[?1049l';

/** Whether what was shown has left the terminal on its alternate screen: to end one that is not there moves the cursor. */
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

/** Columns and rows of a terminal; 80 × 24 where it does not say. */
export function terminalSize(stdout: NodeJS.WriteStream): { columns: number; rows: number } {
  return { columns: stdout.columns || 80, rows: stdout.rows || 24 };
}

/**
 * Joins the terminal to the remote until the command ends, the connection is lost or the signal aborts.
 * The remote stream must not be read by anybody else. `stdin` is paused afterwards.
 */
export async function bridgeTerminal(
  local: Local,
  remote: Remote,
  signal: AbortSignal,
): Promise<BridgeEnd> {
  const { stdin, stdout } = local;
  const typed = (chunk: Buffer) => {
    if (!remote.stream.write(chunk)) stdin.pause();
  };
  const drained = () => stdin.resume();
  const { filter = (chunk) => chunk } = local;
  const alternate = new AlternateScreen();
  const shown = (chunk: Buffer) => {
    const passed = filter(chunk);
    alternate.see(passed);
    if (!stdout.write(passed)) remote.stream.pause();
  };
  const caughtUp = () => remote.stream.resume();
  const resized = () => {
    const { columns, rows } = terminalSize(stdout);
    remote.resize(columns, rows);
  };
  // A terminal that goes away (its window closed) fails on every use; the end is told by SIGHUP.
  const ignored = () => {};

  stdin.ref?.();
  stdin.setRawMode?.(true);
  stdin.on('data', typed).on('error', ignored);
  stdout.on('resize', resized).on('drain', caughtUp).on('error', ignored);
  remote.stream.on('data', shown).on('drain', drained).on('error', ignored);
  stdin.resume();
  // Whoever read the stream before has paused it.
  remote.stream.resume();
  resized();

  const end = await ending(remote, signal);

  stdin.off('data', typed).off('error', ignored).pause();
  stdout.off('resize', resized).off('drain', caughtUp);
  remote.stream.off('data', shown).off('drain', drained);
  try {
    stdin.setRawMode?.(false);
    if (stdout.isTTY && (end.kind !== 'exited' || end.status !== 0))
      // Without one, what ran may have left the cursor anywhere in a line.
      stdout.write(`${alternate.isOn ? alternateOff : '\r\n'}${resetModes}`);
  } catch {
    // The terminal is gone: there is nothing left to restore.
  }
  // A failure of what was written last is told a turn later.
  setImmediate(() => stdout.off('error', ignored));
  stdin.unref?.();
  return end;
}

function ending(remote: Remote, signal: AbortSignal): Promise<BridgeEnd> {
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
