// What coid costs while 20 sessions idle: memory, and its share of one core.
import { readFile } from 'node:fs/promises';
import { setTimeout as passed } from 'node:timers/promises';
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
const observedS = 60;
/** Linux counts processor time in hundredths of a second (sysconf(_SC_CLK_TCK)). */
const ticksPerSecond = 100;

/** Starts the sessions in the background, lets them settle, and watches coid for a minute. */
export async function measureIdle(
  { bed, image, clear }: Stage,
  tell: (text: string) => void,
): Promise<IdleResult> {
  for (let made = 1; made <= sessions; made += 1) {
    tell(`idle: session ${made} of ${sessions}`);
    // A workspace has ten slots.
    const workspace = made <= 10 ? bed.workspace.path : bed.user.home;
    const cwd = made <= 10 ? workspace : await secondWorkspace(bed.user.home, bed.user);
    const said = await bed.coi(['shell', '--image', image, '--background'], { cwd });
    if (said.status !== 0) throw new Error(`coi shell --background: ${said.stderr}`);
  }
  const { pid } = (await bed.coid.status()) ?? {};
  if (pid === undefined) throw new Error('coid does not answer');
  await passed(5_000);
  tell(`idle: watching coid for ${observedS} s`);
  const before = await processorTicks(pid);
  await passed(observedS * 1000);
  const spent = (await processorTicks(pid)) - before;
  const residentMiB = await resident(pid);
  const corePercent = (100 * spent) / ticksPerSecond / observedS;
  await clear();
  const within = residentMiB <= idleBudget.residentMiB && corePercent <= idleBudget.corePercent;
  return { sessions, residentMiB, corePercent, observedS, within };
}

async function secondWorkspace(home: string, owner: { uid: number; gid: number }): Promise<string> {
  const { chown, mkdir } = await import('node:fs/promises');
  const path = `${home}/second`;
  await mkdir(path, { recursive: true });
  await chown(path, owner.uid, owner.gid);
  return path;
}

async function processorTicks(pid: number): Promise<number> {
  // Fields after the command's name in brackets; 14 and 15 of the line are user and system time.
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

async function resident(pid: number): Promise<number> {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}
