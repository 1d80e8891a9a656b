// Finds processes of a container by name, with their pids inside. Reads only what a container cannot block, and what
// an ordinary user may read: /proc/<pid>/status (proc(5)).
import { readText } from '../linux/proc-file.ts';
import { Allowance, runToEnd } from './allowance.ts';
import { cgroupsByName } from './cgroups.ts';
import { ProcessList } from './process-list.ts';

/** Reading more would take a noticeable time. The agent is among the first processes of a container. */
const processesMax = 1024;

/** Pids in the container's pid namespace of the processes that run under that name; empty if it does not run. */
export function containerProcesses(container: string, name: string): number[] {
  const cgroups = cgroupsByName(container);
  const reading = cgroups && runToEnd(new ProcessList(cgroups).read(new Allowance()));
  const head = `Name:\t${name}\n`;
  const oldestFirst = [...(reading?.pids ?? [])].sort((one, other) => one - other);
  return oldestFirst.slice(0, processesMax).flatMap((pid) => {
    const status = readText(`/proc/${pid}/status`, { encoding: 'latin1' });
    // A zombie no longer runs anything.
    if (!status?.startsWith(head) || /^State:\t[ZX]/m.test(status)) return [];
    // The last pid belongs to the innermost namespace: that of the container, or of a container in it.
    const inner = /^NSpid:\t\d+\t(\d+)$/m.exec(status)?.[1];
    return inner === undefined ? [] : [Number(inner)];
  });
}
