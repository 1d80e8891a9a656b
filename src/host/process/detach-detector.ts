// Detects whether tmux was detached: it exits with status 0 both after a detach and after the end of its session, but prints
// which. The text comes from the container, so it only affects messages.
import type { BridgeEnd, Local } from '../terminal/terminal-bridge.ts';

const keptBytes = 256;
const detached = /\[detached \(from session [^)\n]{1,128}\)\]\s*$/;

export interface DetachDetector {
  readonly filter: (chunk: Uint8Array) => Uint8Array;
  /** The end, with `detached` from the last output. */
  withDetached(end: BridgeEnd): BridgeEnd;
}

/** Wraps a filter and keeps the last output. */
export function detachDetector(filter: Local['filter'] | undefined): DetachDetector {
  let tail: Uint8Array = Buffer.alloc(0);
  return {
    filter: (chunk) => {
      // Copied, so that the buffers of a flood can be freed.
      const last = Buffer.from(chunk.subarray(-keptBytes));
      tail = Buffer.concat([tail, last]).subarray(-keptBytes);
      return filter?.(chunk) ?? chunk;
    },
    withDetached: (end) => {
      if (end.kind !== 'exited' || end.status !== 0) return end;
      return { ...end, detached: detached.test(Buffer.from(tail).toString('latin1')) };
    },
  };
}
