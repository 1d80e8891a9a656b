// A terminal that stays dark is opened again: now and then Incus loses what it runs, and says nothing of it.
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { type BridgeEnd, bridgeTerminal, type Remote } from './terminal.ts';

/** A shell and tmux show something at once, on a loaded machine after a moment. */
const usualSilenceMs = 15_000;
const triesMax = 2;

export interface Joined<R extends Remote> {
  readonly remote: R;
  readonly ended: Promise<BridgeEnd>;
}

/**
 * Opens a remote terminal, joins it to the user's (see `bridgeTerminal`), and returns when it shows something or has
 * ended; undefined if each that was opened stayed dark.
 */
export async function joinTerminal<R extends Remote>(
  open: () => Promise<R>,
  local: Parameters<typeof bridgeTerminal>[0],
  signal: AbortSignal,
  silenceMs = usualSilenceMs,
): Promise<Joined<R> | undefined> {
  for (let tries = 1; tries <= triesMax; tries += 1) {
    const remote = await open();
    const ended = bridgeTerminal(local, remote, signal);
    if (!(await isDark(remote.stream, silenceMs))) return { remote, ended };
    remote.close();
    await ended;
  }
  return undefined;
}

async function isDark(stream: Duplex, silenceMs: number): Promise<boolean> {
  const signal = AbortSignal.timeout(silenceMs);
  try {
    await Promise.race([once(stream, 'data', { signal }), once(stream, 'close', { signal })]);
    return false;
  } catch {
    // An error of its own is told by how it ends.
    return signal.aborted;
  }
}
