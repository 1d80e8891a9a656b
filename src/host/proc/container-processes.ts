// Finds the processes of a container, with their pids inside. Reads only what a container cannot block, and what an
// ordinary user may read: /proc/<pid>/status and /proc/<pid>/stat (proc(5)).
import { readText } from '../linux/proc-file.ts';
import { Allowance, runToEnd } from './allowance.ts';
import { cgroupsByName } from './cgroups.ts';
import { ProcessList } from './process-list.ts';

export interface GuestProcess {
  /** In the container's pid namespace. */
  readonly pid: number;
  readonly hostPid: number;
  /** As in /proc/<pid>/comm. */
  readonly name: string;
}

/** Reading more would take a noticeable time. The agent is among the first processes of a container. */
const processesMax = 1024;

/** Oldest first; empty if the container does not run. */
export function containerProcesses(container: string): GuestProcess[] {
  const cgroups = cgroupsByName(container);
  const reading = cgroups && runToEnd(new ProcessList(cgroups).read(new Allowance()));
  const oldestFirst = [...(reading?.pids ?? [])].sort((one, other) => one - other);
  return oldestFirst.slice(0, processesMax).flatMap((hostPid) => {
    const status = readText(`/proc/${hostPid}/status`, { encoding: 'latin1' });
    // A zombie no longer runs anything.
    if (status === undefined || /^State:\t[ZX]/m.test(status)) return [];
    const name = /^Name:\t(.*)$/m.exec(status)?.[1] ?? '';
    // The last pid belongs to the innermost namespace: that of the container, or of a container in it.
    const inner = /^NSpid:\t\d+\t(\d+)$/m.exec(status)?.[1];
    return inner === undefined ? [] : [{ pid: Number(inner), hostPid, name }];
  });
}

/** The start time of a process, in clock ticks since the host was started; undefined if it has ended. */
export function processStart(hostPid: number): string | undefined {
  const stat = readText(`/proc/${hostPid}/stat`, { encoding: 'latin1' });
  // The name, in parentheses, may contain anything; the start time is the 20th field after it.
  return stat
    ?.slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .at(19);
}
