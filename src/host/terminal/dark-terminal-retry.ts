// A terminal that stays dark is opened again: now and then Incus loses what it runs, and says nothing of it.
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { type BridgeEnd, bridgeTerminal, type Local, type Remote } from './terminal-bridge.ts';

/** A shell and tmux show something at once, on a loaded machine after a moment: how long each try may stay dark. */
const usualSilencesMs: readonly number[] = [4000, 8000, 16_000];

export interface Joined<R extends Remote> {
  readonly remote: R;
  readonly ended: Promise<BridgeEnd>;
}

/**
 * Opens a remote terminal, joins it to the user's (see `bridgeTerminal`), and returns when it shows something or has
 * ended; undefined if each that was opened stayed dark. One that never ran (`isLost` says so of its error) is opened again too.
 */
export async function joinTerminal<R extends Remote>(
  open: () => Promise<R>,
  local: Local,
  signal: AbortSignal,
  {
    isLost,
    silencesMs = usualSilencesMs,
  }: { isLost: (error: Error) => boolean; silencesMs?: readonly number[] },
): Promise<Joined<R> | undefined> {
  for (const [at, silenceMs] of silencesMs.entries()) {
    const remote = await open();
    const ended = bridgeTerminal(local, remote, signal);
    const first = await firstOf(remote.stream, silenceMs);
    if (first === 'data') return { remote, ended };
    if (first === 'dark') {
      remote.close();
      await ended;
      continue;
    }
    const end = await ended;
    const isLast = at === silencesMs.length - 1;
    if (isLast || end.kind !== 'lost' || !isLost(end.error)) return { remote, ended };
  }
  return undefined;
}

async function firstOf(stream: Duplex, silenceMs: number): Promise<'data' | 'end' | 'dark'> {
  const signal = AbortSignal.timeout(silenceMs);
  const seen = async (event: string, what: 'data' | 'end') => {
    await once(stream, event, { signal });
    return what;
  };
  try {
    return await Promise.race([seen('data', 'data'), seen('close', 'end')]);
  } catch {
    // An error of its own is told by how it ends.
    return signal.aborted ? 'dark' : 'end';
  }
}
