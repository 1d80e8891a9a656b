// Finds processes of a container by their pid inside, as an ordinary user: /proc/<pid>/stat and status are readable by all.
import { readText } from '../linux/proc-file.ts';
import { Allowance, runToEnd } from './allowance.ts';
import { cgroupsByName } from './cgroups.ts';
import { ProcessList } from './process-list.ts';
import { parseIds, parseStat } from './processes.ts';

export interface ContainerProcess {
  /** In the container's pid namespace. */
  readonly innerPid: number;
  readonly startTicks: number;
  readonly comm: string;
}

/** The processes for which `isWanted` is true; undefined if the container does not run. */
export function containerProcesses(
  container: string,
  isWanted: (process: Omit<ContainerProcess, 'innerPid'>) => boolean,
): ContainerProcess[] | undefined {
  const cgroups = cgroupsByName(container);
  const reading = cgroups && runToEnd(new ProcessList(cgroups).read(new Allowance()));
  return reading?.pids.flatMap((pid) => {
    const stat = parseStat(readText(`/proc/${pid}/stat`, { encoding: 'latin1' }) ?? '');
    // A zombie no longer runs anything.
    if (!stat || stat.state === 'Z' || !isWanted(stat)) return [];
    const status = readText(`/proc/${pid}/status`, { encoding: 'latin1' });
    if (status === undefined) return [];
    const { comm, startTicks } = stat;
    return [{ innerPid: parseIds(status).innerPid, startTicks, comm }];
  });
}
