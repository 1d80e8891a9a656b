// Which processes a container has: those in its control groups, however many groups it made.
import { opendirSync } from 'node:fs';
import { readText } from '../linux/proc-file.ts';
import type { Allowance, Steps } from './allowance.ts';
import type { Cgroups } from './cgroups.ts';

export interface ListReading {
  /** Each once. */
  readonly pids: readonly number[];
  /** There are groups that nobody looked into: they are too many, or lie too deep. */
  readonly groupsLeft: boolean;
}

/** What systemd and Docker make of a busy container is a few hundred. */
const groupsMax = 2048;
const treeDepthMax = 32;
/** The kernel takes no longer paths. */
const pathMax = 4000;

/** Keeps the list of a container's groups as long as the kernel says that none came or went. */
export class ProcessList {
  readonly #cgroups: Cgroups;
  #groups: readonly string[] = [];
  #left = false;
  #descendants = '';

  constructor(cgroups: Cgroups) {
    this.#cgroups = cgroups;
  }

  /** Undefined if the container is gone. */
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
      // A group that went away while another came: the count is the same, so look again next time.
      if (text === undefined) this.#descendants = '';
      for (const pid of text?.split('\n') ?? []) if (pid !== '') pids.add(Number(pid));
      yield* allowance.turn();
    }
    return { pids: [...pids], groupsLeft: this.#left };
  }
}

/** The upper ones first, so that a crowd below one hides nothing but itself. */
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
      yield* allowance.turn();
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
    // It went away.
  }
  return found;
}
