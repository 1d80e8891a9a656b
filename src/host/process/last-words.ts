// How tmux took leave of a terminal: it ends with status 0 whether it was detached from or its session has ended, but
// says which. The words come through the container, so they decide nothing but what a person is told.
import type { BridgeEnd, Local } from '../terminal/terminal-bridge.ts';

const keptBytes = 256;
const detached = /\[detached \(from session [^)\n]{1,128}\)\]\s*$/;

export interface LastWords {
  readonly filter: (chunk: Uint8Array) => Uint8Array;
  /** The end, with what the last words say of it. */
  told(end: BridgeEnd): BridgeEnd;
}

/** Listens to what passes the filter by. */
export function lastWords(filter: Local['filter'] | undefined): LastWords {
  let tail: Uint8Array = Buffer.alloc(0);
  return {
    filter: (chunk) => {
      // What is kept must not hold on to the buffers of a flood.
      const last = Buffer.from(chunk.subarray(-keptBytes));
      tail = Buffer.concat([tail, last]).subarray(-keptBytes);
      return filter?.(chunk) ?? chunk;
    },
    told: (end) => {
      if (end.kind !== 'exited' || end.status !== 0) return end;
      return { ...end, detached: detached.test(Buffer.from(tail).toString('latin1')) };
    },
  };
}
