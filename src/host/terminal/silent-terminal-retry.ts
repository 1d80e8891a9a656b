// Reopens a terminal that shows no output: Incus sometimes loses a command without reporting it.
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { type BridgeEnd, bridgeTerminal, type Local, type Remote } from './terminal-bridge.ts';

/** How long each try may stay silent. A shell and tmux print something at once, on a loaded machine a little later. */
const usualSilencesMs: readonly number[] = [4000, 8000, 16_000];

export interface JoinedTerminal<R extends Remote> {
  readonly remote: R;
  readonly ended: Promise<BridgeEnd>;
}

/**
 * Opens a remote terminal, connects it to the user's (see `bridgeTerminal`) and returns when it has printed something or
 * ended; undefined if every try stayed silent. A command that never ran (`isLost` of its error) is also retried.
 */
export async function joinTerminal<R extends Remote>(
  open: () => Promise<R>,
  local: Local,
  signal: AbortSignal,
  {
    isLost,
    silencesMs = usualSilencesMs,
  }: { isLost: (error: Error) => boolean; silencesMs?: readonly number[] },
): Promise<JoinedTerminal<R> | undefined> {
  for (const [at, silenceMs] of silencesMs.entries()) {
    const remote = await open();
    const ended = bridgeTerminal(local, remote, signal);
    const first = await firstOf(remote.stream, silenceMs);
    if (first === 'data') return { remote, ended };
    if (first === 'silent') {
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

async function firstOf(stream: Duplex, silenceMs: number): Promise<'data' | 'end' | 'silent'> {
  const signal = AbortSignal.timeout(silenceMs);
  const seen = async (event: string, what: 'data' | 'end') => {
    await once(stream, event, { signal });
    return what;
  };
  try {
    return await Promise.race([seen('data', 'data'), seen('close', 'end')]);
  } catch {
    // An error of the stream is reported by `ended`.
    return signal.aborted ? 'silent' : 'end';
  }
}
