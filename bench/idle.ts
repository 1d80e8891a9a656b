// What coid costs while 20 sessions idle, each of them monitored and with bait: memory, and its share of one core.
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
/** A workspace has so many. */
const slots = 10;
const observedS = 60;

/** Starts the sessions in the background, lets them settle, and watches coid for a minute. */
export async function measureIdle(
  { bed, image, clear }: Stage,
  tell: (text: string) => void,
): Promise<IdleResult> {
  // All that coid does for a session while it runs.
  homeFile(bed, '.coi/config.toml', '[monitoring]\nenabled = true\nbait = true\n');
  for (let made = 1; made <= sessions; made += 1) {
    tell(`idle: session ${made} of ${sessions}`);
    const cwd = await workspaceFor(made, bed);
    const said = await bed.coi(['shell', '--image', image, '--background'], { cwd });
    if (said.status !== 0) throw new Error(`coi shell --background: ${said.stderr}`);
  }
  const { pid } = (await bed.coid.status()) ?? {};
  if (pid === undefined) throw new Error('coid does not answer');
  await delay(5_000);
  tell(`idle: watching coid for ${observedS} s`);
  const before = await processorTicks(pid);
  await delay(observedS * 1000);
  const spent = (await processorTicks(pid)) - before;
  const residentMiB = await resident(pid);
  const corePercent = (100 * spent) / ticksPerSecond / observedS;
  await clear();
  const within = residentMiB <= idleBudget.residentMiB && corePercent <= idleBudget.corePercent;
  return { sessions, residentMiB, corePercent, observedS, within };
}

/** The workspace of the session of that number, from 1. */
export async function workspaceFor(number: number, { workspace, user }: Bed): Promise<string> {
  if (number <= slots) return workspace.path;
  const path = `${user.home}/workspace-${Math.ceil(number / slots)}`;
  await mkdir(path, { recursive: true });
  await chown(path, user.uid, user.gid);
  return path;
}
