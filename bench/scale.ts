// `npm run bench -- --scale`: 1, 5, 10, 20, 40 sessions on this machine at once, and ten started at once.
import { setTimeout as delay } from 'node:timers/promises';
import { workspaceFor } from './idle.ts';
import { median } from './measure.ts';
import { availableMiB, peakMiB, processorTicks, residentMiB, ticksPerSecond } from './resident.ts';
import { closeScreens, shellArgs, timed } from './rows/actions.ts';
import type { Stage } from './stage.ts';

export interface Level {
  readonly sessions: number;
  /** Median of the starts since the previous level, until `coi shell --background` returns. */
  readonly startMs: number;
  readonly slowestStartMs: number;
  readonly listMs: number;
  /** `incus list`, at the same moment. */
  readonly incusListMs: number;
  readonly coidMiB: number;
  readonly coidCorePercent: number;
  /**
   * Decrease of available host memory since before the first session, per session. Includes caches that cannot be
   * freed.
   */
  readonly hostMiBPerSession: number;
  /** Median of the containers' memory according to Incus. Includes file pages, which the kernel can reclaim. */
  readonly containerMiB: number;
}

export interface ScaleResult {
  readonly levels: readonly Level[];
  /** Peak memory of an attached `coi shell`, after a flood of output. */
  readonly attachedPeakMiB: number;
  /** Ten `coi shell --background` at once, until the last one returns; undefined if interrupted before. */
  readonly tenAtOnceMs: number | undefined;
}

const budget = { attachedPeakMiB: 90, hostMiB: 12 * 1024 };

/** Whether 40 idle sessions fit in 12 GiB, and an attached `coi shell` in 90 MiB. */
export function scaleVerdict({ levels, attachedPeakMiB }: ScaleResult): boolean {
  const hostMiB = Math.max(
    ...levels.map(({ hostMiBPerSession, sessions }) => hostMiBPerSession * sessions),
  );
  return attachedPeakMiB <= budget.attachedPeakMiB && hostMiB <= budget.hostMiB;
}

const counts = [1, 5, 10, 20, 40];
const settleMs = 3_000;
const observedS = 5;
const samples = 3;

export async function measureScale(
  stage: Stage,
  stop: AbortSignal,
  progress: (text: string) => void,
): Promise<ScaleResult> {
  const attachedPeakMiB = await attachedPeak(stage);
  const coid = await coidPid(stage);
  const before = await availableMiB();
  const levels: Level[] = [];
  let made = 0;
  for (const sessions of counts) {
    const startsMs: number[] = [];
    for (; made < sessions && !stop.aborted; made += 1) startsMs.push(await start(stage, made + 1));
    if (stop.aborted) break;
    progress(`${sessions} sessions run; the last start took ${startsMs.at(-1)?.toFixed(0)} ms`);
    await delay(settleMs);
    const hostMiBPerSession = (before - (await availableMiB())) / sessions;
    const ticks = await processorTicks(coid);
    await delay(observedS * 1000);
    const spent = (await processorTicks(coid)) - ticks;
    levels.push({
      sessions,
      startMs: median(startsMs) ?? 0,
      slowestStartMs: Math.max(...startsMs),
      listMs: await medianOf(() => succeeded(stage.bed.coi(['list']))),
      incusListMs: await medianOf(() => stage.runOther(['incus', 'list'])),
      coidMiB: await residentMiB(coid),
      coidCorePercent: (100 * spent) / ticksPerSecond / observedS,
      hostMiBPerSession,
      containerMiB: await containerMemory(stage),
    });
  }
  await stage.clear();
  if (stop.aborted) return { levels, attachedPeakMiB, tenAtOnceMs: undefined };
  progress('ten at once');
  const tenAtOnceMs = await timed(() =>
    Promise.all(Array.from({ length: 10 }, () => start(stage, 1))),
  );
  await stage.clear();
  return { levels, attachedPeakMiB, tenAtOnceMs };
}

async function start(stage: Stage, number: number): Promise<number> {
  const cwd = await workspaceFor(number, stage.bed);
  return timed(() => succeeded(stage.bed.coi([...shellArgs(stage), '--background'], { cwd })));
}

async function succeeded(running: ReturnType<Stage['bed']['coi']>): Promise<void> {
  const { status, stderr } = await running;
  if (status !== 0) throw new Error(`coi: status ${status}: ${stderr}`);
}

async function medianOf(work: () => Promise<unknown>): Promise<number> {
  const taken: number[] = [];
  for (let sample = 0; sample < samples; sample += 1) taken.push(await timed(work));
  return median(taken) ?? 0;
}

async function containerMemory({ bed }: Stage): Promise<number> {
  const all = await bed.incus.instancesWithState();
  const own = all.filter(({ name }) => name.startsWith(bed.prefix));
  return (median(own.map(({ state }) => state?.memory.usage ?? 0)) ?? 0) / 2 ** 20;
}

async function coidPid({ bed }: Stage): Promise<number> {
  const { pid } = (await bed.coid.status()) ?? {};
  if (pid === undefined) throw new Error('coid does not answer');
  return pid;
}

/** The agent's output passes through coi, so a flood shows whether it accumulates there. */
async function attachedPeak(stage: Stage): Promise<number> {
  const { screen, modes } = await stage.bed.watchedScreen(shellArgs(stage));
  await screen.waitFor('You:');
  screen.type('/exit\r');
  await screen.waitFor(/code@\S+\$ *$/m);
  screen.type('seq 1 300000; echo it is "over"\r');
  await screen.waitFor('it is over');
  const peak = await peakMiB(modes.pid());
  await closeScreens(stage, [screen]);
  return peak;
}
