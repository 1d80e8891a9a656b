// Actions of the rows: start, wait for the first screen, clear.
import type { Screen } from '../../test/bed/screen.ts';
import type { Stage } from '../stage.ts';

const screenLimitMs = 30_000;

/** Measures until the tool's prompt is on the terminal. */
export async function firstScreen(start: () => Screen): Promise<{ ms: number; screen: Screen }> {
  const startedMs = performance.now();
  const screen = start();
  try {
    await screen.waitFor('You:', screenLimitMs);
  } catch (error) {
    await screen.close();
    throw error;
  }
  return { ms: performance.now() - startedMs, screen };
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

/** Runs coi and waits for its end; throws if it fails. */
export async function coi(stage: Stage, ...args: string[]): Promise<void> {
  const result = await stage.bed.coi(args);
  if (result.status !== 0)
    throw new Error(`coi ${args.join(' ')}: status ${result.status}: ${result.stderr}`);
}

export const shellArgs = (stage: Stage) => ['shell', '--image', stage.image];
export const background = (stage: Stage) => coi(stage, ...shellArgs(stage), '--background');

export async function backgroundSessions(stage: Stage, count: number): Promise<string[]> {
  for (let made = 0; made < count; made += 1) await background(stage);
  return stage.bed.instances();
}

export async function closeScreens(stage: Stage, screens: readonly Screen[]): Promise<void> {
  await Promise.all(screens.map((screen) => screen.close()));
  await stage.clear();
}
