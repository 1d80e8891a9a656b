// How much slower this machine is right now than the one that the time limits were chosen on.
import { runCommand } from './command.ts';

/** Run time of an empty Node program there (bench: row `coi version`). */
const emptyNodeMs = 60;
const samples = 5;

/** Factor (at least 1) for a limit in milliseconds, so that a busy machine does not look like a slow program. */
export async function slowdown(): Promise<number> {
  const tookMs: number[] = [];
  for (let sample = 0; sample < samples; sample += 1) {
    const startedMs = performance.now();
    await runCommand([process.execPath, '-e', '0']);
    tookMs.push(performance.now() - startedMs);
  }
  const median = tookMs.toSorted((a, b) => a - b)[Math.floor(samples / 2)] ?? emptyNodeMs;
  return Math.max(1, median / emptyNodeMs);
}
