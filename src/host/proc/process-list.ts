// Lists the processes of a container: those in its control groups, including nested groups.
import { opendirSync } from 'node:fs';
import { readText } from '../linux/proc-file.ts';
import type { Allowance, Steps } from './allowance.ts';
import type { Cgroups } from './cgroups.ts';

export interface ListReading {
  /** Without duplicates. */
  readonly pids: readonly number[];
  /** Some groups were not read: there are too many, or they are nested too deep. */
  readonly groupsLeft: boolean;
}

/** systemd and Docker create a few hundred in a busy container. */
const groupsMax = 2048;
const treeDepthMax = 32;
/** Just below the kernel's limit for paths. */
const pathMax = 4000;

/** Caches the list of groups until the kernel reports that groups were added or removed. */
export class ProcessList {
  readonly #cgroups: Cgroups;
  #groups: readonly string[] = [];
  #left = false;
  #descendants = '';

  constructor(cgroups: Cgroups) {
    this.#cgroups = cgroups;
  }

  /** Undefined if the container no longer exists. */
  *read(allowance: Allowance): Steps<ListReading | undefined> {
    const { processes: top, version } = this.#cgroups;
    const descendants = version === 1 ? '' : readText(`${top}/cgroup.stat`);
    if (descendants === undefined) return undefined;
    if (this.#groups.length === 0 || version === 1 || descendants !== this.#descendants) {
      const { groups, left } = yield* subtree(top, allowance);
      this.#groups = groups;
      this.#left = left;
    }
    this.#descendants = descendants;
    const pids = new Set<number>();
    for (const group of this.#groups) {
      const text = readText(`${group}/cgroup.procs`);
      if (text === undefined && group === top) return undefined;
      // One group was replaced by another: the count is unchanged, so the list is read again next time.
      if (text === undefined) this.#descendants = '';
      for (const pid of text?.split('\n') ?? []) if (pid !== '') pids.add(Number(pid));
      yield* allowance.yieldIfDue();
    }
    return { pids: [...pids], groupsLeft: this.#left };
  }
}

/** Breadth-first, so that many groups below one hide only themselves. */
function* subtree(
  top: string,
  allowance: Allowance,
): Steps<{ readonly groups: string[]; readonly left: boolean }> {
  const groups = [top];
  let left = false;
  let depth = 0;
  for (let level = groups.slice(); level.length > 0; depth += 1) {
    const next: string[] = [];
    for (const path of level) {
      for (const name of subdirectories(path, groupsMax + 1 - groups.length - next.length))
        next.push(`${path}/${name}`);
      yield* allowance.yieldIfDue();
    }
    const room = groupsMax - groups.length;
    const fitting = next.filter(({ length }) => length <= pathMax).slice(0, room);
    if (fitting.length < next.length || (depth === treeDepthMax && next.length > 0)) left = true;
    if (depth === treeDepthMax) break;
    groups.push(...fitting);
    level = fitting;
  }
  return { groups, left };
}

function subdirectories(path: string, most: number): string[] {
  const found: string[] = [];
  if (most <= 0) return found;
  try {
    using directory = opendirSync(path);
    for (let entry = directory.readSync(); entry; entry = directory.readSync()) {
      if (entry.isDirectory()) found.push(entry.name);
      if (found.length === most) break;
    }
  } catch {
    // The group was removed.
  }
  return found;
}
