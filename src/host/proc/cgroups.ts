// Finds a container's control groups on hosts with cgroup v1, v2 or both; the only file that knows the difference.
// Source: cgroups(7), the kernel's admin-guide/cgroup-v1/freezer-subsystem.rst and admin-guide/cgroup-v2.rst.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { readText } from '../linux/proc-file.ts';

export interface Cgroups {
  /** The directory whose subtree contains all processes of the container. */
  readonly processes: string;
  /** v2 has a file `cgroup.stat` that shows cheaply whether groups were added or removed; v1 has none, but a flat tree. */
  readonly version: 1 | 2;
  readonly freezer: { readonly file: string; readonly frozen: string; readonly thawed: string };
  readonly memory: { readonly usage: string; readonly limit: string } | undefined;
  /** The file contains nanoseconds in v1, and a line `usage_usec` in v2. */
  readonly cpu: string | undefined;
}

interface Hierarchy {
  readonly mount: string;
  /** Controllers of v1; empty for v2. */
  readonly controllers: readonly string[];
}

/** liblxc's group for the processes of a container; groups below it are made inside the container. */
const payload = /^(.*?\/lxc\.payload\.[^/]+)(?:\/|$)/;

/** From the texts of /proc/<pid>/cgroup and /proc/self/mounts; undefined if the process is not in a liblxc container. */
export function cgroupsOf(pidCgroups: string, mounts: string): Cgroups | undefined {
  const hierarchies = hierarchiesIn(mounts);
  const groups = pidCgroups.split('\n').flatMap((line) => {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const container = payload.exec(path)?.[1];
    return container === undefined ? [] : [{ controllers: controllers.split(','), container }];
  });
  const directory = (controller: string) => {
    const group = groups.find(({ controllers }) => controllers.includes(controller));
    const hierarchy = hierarchies.find(({ controllers }) =>
      controller === '' ? controllers.length === 0 : controllers.includes(controller),
    );
    return group && hierarchy && hierarchy.mount + group.container;
  };
  // systemd in the guest does not use the v1 freezer, so its tree is flat: one file lists all processes.
  const freezer = directory('freezer');
  if (freezer !== undefined) return versionOne(freezer, directory('memory'), directory('cpuacct'));
  const unified = directory('');
  return unified === undefined ? undefined : versionTwo(unified);
}

function versionOne(freezer: string, memory: string | undefined, cpu: string | undefined): Cgroups {
  return {
    processes: freezer,
    version: 1,
    freezer: { file: `${freezer}/freezer.state`, frozen: 'FROZEN', thawed: 'THAWED' },
    memory:
      memory === undefined
        ? undefined
        : { usage: `${memory}/memory.usage_in_bytes`, limit: `${memory}/memory.limit_in_bytes` },
    cpu: cpu === undefined ? undefined : `${cpu}/cpuacct.usage`,
  };
}

function versionTwo(unified: string): Cgroups {
  return {
    processes: unified,
    version: 2,
    freezer: { file: `${unified}/cgroup.freeze`, frozen: '1', thawed: '0' },
    memory: { usage: `${unified}/memory.current`, limit: `${unified}/memory.max` },
    cpu: `${unified}/cpu.stat`,
  };
}

function hierarchiesIn(mounts: string): Hierarchy[] {
  return mounts.split('\n').flatMap((line) => {
    const [, mount = '', type, options = ''] = line.split(' ');
    if (type === 'cgroup2') return [{ mount, controllers: [] }];
    return type === 'cgroup' ? [{ mount, controllers: options.split(',') }] : [];
  });
}

/** Nanoseconds of processor time from the content of `Cgroups.cpu`. */
export function cpuNanoseconds(content: string): number {
  const micro = /^usage_usec (\d+)$/m.exec(content)?.[1];
  return micro === undefined ? Number(content) || 0 : Number(micro) * 1000;
}

/** The groups of the container with that init process; undefined if it no longer exists. */
export function findCgroups(initPid: number): Cgroups | undefined {
  const text = readText(`/proc/${initPid}/cgroup`);
  return text === undefined
    ? undefined
    : cgroupsOf(text, readFileSync('/proc/self/mounts', 'utf8'));
}

/** By name, for a container whose init process may have ended; undefined if the default path does not exist. */
export function cgroupsByName(container: string): Cgroups | undefined {
  const path = `/lxc.payload.${container}`;
  const mounts = readFileSync('/proc/self/mounts', 'utf8');
  const found = cgroupsOf(`1:freezer:${path}\n0::${path}`, mounts);
  return found && existsSync(found.processes) ? found : undefined;
}

/** Freezes all processes of the container, including nested containers; takes milliseconds, even under load. */
export function freeze({ freezer }: Cgroups): void {
  writeFileSync(freezer.file, freezer.frozen);
}

/** True as soon as freezing has begun; undefined if the container no longer exists. */
export function isFrozen({ freezer }: Cgroups): boolean | undefined {
  const text = readText(freezer.file)?.trim();
  return text === undefined ? undefined : text !== freezer.thawed;
}
