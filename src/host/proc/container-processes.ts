// Finds the processes of a container, with their pids inside. Reads only what a container cannot block, and what an
// ordinary user may read: /proc/<pid>/status (proc(5)). A process that waits in execve blocks readers of its `stat`.
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
  return oldestFirst.slice(0, processesMax).flatMap((hostPid) => guestProcess(hostPid) ?? []);
}

/** Undefined if it has ended, or is not in a container (but, for instance, in a container of a container). */
export function guestProcess(hostPid: number): GuestProcess | undefined {
  const status = processStatus(hostPid);
  // The last pid belongs to the innermost namespace: that of the container, or of a container in it.
  const inner = /^NSpid:\t\d+\t(\d+)$/m.exec(status)?.[1];
  return inner === undefined ? undefined : { pid: Number(inner), hostPid, name: nameIn(status) };
}

/** The name of a process, as in /proc/<pid>/comm; undefined if it has ended. */
export function processName(pid: number): string | undefined {
  const status = processStatus(pid);
  return status === '' ? undefined : nameIn(status);
}

/** Empty if it has ended: a zombie no longer runs anything. */
function processStatus(pid: number): string {
  const status = readText(`/proc/${pid}/status`, { encoding: 'latin1' });
  return status === undefined || /^State:\t[ZX]/m.test(status) ? '' : status;
}

function nameIn(status: string): string {
  return /^Name:\t(.*)$/m.exec(status)?.[1] ?? '';
}
