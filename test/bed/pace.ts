// How much slower this machine is at this moment than the one that limits of time were made for.
import { runCommand } from './command.ts';

/** An empty Node program there (bench: row `coi version`). */
const emptyNodeMs = 60;
const samples = 5;

/** 1 or more: what a limit in milliseconds is multiplied with, so that a busy machine is not taken for a slow program. */
export async function pace(): Promise<number> {
  const tookMs: number[] = [];
  for (let sample = 0; sample < samples; sample += 1) {
    const startedMs = performance.now();
    await runCommand([process.execPath, '-e', '0']);
    tookMs.push(performance.now() - startedMs);
  }
  const median = tookMs.toSorted((a, b) => a - b)[Math.floor(samples / 2)] ?? emptyNodeMs;
  return Math.max(1, median / emptyNodeMs);
}
