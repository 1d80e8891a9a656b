// Memory and CPU time of a process, and available memory, from /proc.
import { readFile } from 'node:fs/promises';

/** Linux counts processor time in hundredths of a second (sysconf(_SC_CLK_TCK)). */
export const ticksPerSecond = 100;

/** User and system time of a process, in ticks. */
export async function processorTicks(pid: number): Promise<number> {
  // Fields after the command's name in brackets; 14 and 15 of the line are user and system time.
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

/** Current resident memory, in MiB. */
export const residentMiB = (pid: number) => statusMiB(pid, 'VmRSS');

/** Peak resident memory, in MiB. */
export const peakMiB = (pid: number) => statusMiB(pid, 'VmHWM');

async function statusMiB(pid: number, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1];
  return Number(kib) / 1024;
}

/** Available memory of the host, in MiB. */
export async function availableMiB(): Promise<number> {
  const text = await readFile('/proc/meminfo', 'utf8');
  return Number(/^MemAvailable:\s+(\d+) kB/m.exec(text)?.[1]) / 1024;
}
