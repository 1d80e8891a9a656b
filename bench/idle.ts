// Memory and CPU use of coid with 20 idle sessions, each monitored and with bait.
import { chown, mkdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Bed } from '../test/bed/bed.ts';
import { homeFile } from '../test/lifecycle/conversation.ts';
import { processorTicks, residentMiB as resident, ticksPerSecond } from './resident.ts';
import type { Stage } from './stage.ts';

export interface IdleResult {
  readonly sessions: number;
  readonly residentMiB: number;
  readonly corePercent: number;
  readonly observedS: number;
  readonly within: boolean;
}

export const idleBudget = { residentMiB: 120, corePercent: 2 };
const sessions = 20;
/** Slots of a workspace. */
const slots = 10;
const observedS = 60;

/** Starts the sessions in the background, lets them settle, and measures coid for a minute. */
export async function measureIdle(
  { bed, image, clear }: Stage,
  progress: (text: string) => void,
): Promise<IdleResult> {
  // Everything that coid can do for a running session.
  homeFile(bed, '.coi/config.toml', '[monitoring]\nenabled = true\nbait = true\n');
  for (let made = 1; made <= sessions; made += 1) {
    progress(`idle: session ${made} of ${sessions}`);
    const cwd = await workspaceFor(made, bed);
    const result = await bed.coi(['shell', '--image', image, '--background'], { cwd });
    if (result.status !== 0) throw new Error(`coi shell --background: ${result.stderr}`);
  }
  const { pid } = (await bed.coid.status()) ?? {};
  if (pid === undefined) throw new Error('coid does not answer');
  await delay(5_000);
  progress(`idle: measuring coid for ${observedS} s`);
  const before = await processorTicks(pid);
  await delay(observedS * 1000);
  const ticks = (await processorTicks(pid)) - before;
  const residentMiB = await resident(pid);
  const corePercent = (100 * ticks) / ticksPerSecond / observedS;
  await clear();
  const within = residentMiB <= idleBudget.residentMiB && corePercent <= idleBudget.corePercent;
  return { sessions, residentMiB, corePercent, observedS, within };
}

/** Workspace of the session with that number (from 1). */
export async function workspaceFor(number: number, { workspace, user }: Bed): Promise<string> {
  if (number <= slots) return workspace.path;
  const path = `${user.home}/workspace-${Math.ceil(number / slots)}`;
  await mkdir(path, { recursive: true });
  await chown(path, user.uid, user.gid);
  return path;
}
