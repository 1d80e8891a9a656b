// Checks of access to Incus and of the id ranges for containers.
import type { SetupHost } from '../../host/install/setup-host.ts';
import { type Check, type Finding, finding, ok } from '../check.ts';
import { runOrThrow } from '../run-or-throw.ts';
import { recordCreated } from '../setup-record.ts';
import { adminGroup } from './incus.ts';

export interface Group {
  readonly gid: number;
  readonly members: readonly string[];
}

/** Reads one entry of group(5). */
export function parseGroup(text: string, name: string): Group | undefined {
  const fields = text
    .split('\n')
    .find((line) => line.startsWith(`${name}:`))
    ?.split(':');
  if (!fields) return undefined;
  return { gid: Number(fields[2]), members: (fields[3] ?? '').split(',').filter(Boolean) };
}

export const permissions: Check = {
  id: 'permissions',
  title: 'Incus group',
  group: 'CRITICAL',
  run: async ({ host, caller }) => {
    const group = parseGroup((await host.readText('/etc/group')) ?? '', adminGroup);
    return membershipFinding(group, caller, host.groups);
  },
  fix: async (context) => {
    const group = parseGroup((await context.host.readText('/etc/group')) ?? '', adminGroup);
    if (!group) {
      await recordCreated(context.host, { group: true });
      await runOrThrow(context, ['groupadd', '--system', adminGroup]);
    }
    const { name, uid } = context.caller;
    if (uid === 0 || group?.members.includes(name)) return;
    await recordCreated(context.host, { members: [name] });
    await runOrThrow(context, ['gpasswd', '--add', name, adminGroup]);
  },
};

export function membershipFinding(
  group: Group | undefined,
  caller: { name: string; uid: number },
  groups: readonly number[],
): Finding {
  const join = `add ${caller.name} to the group ${adminGroup} (its members can become root through Incus)`;
  if (!group) {
    const plan = `create the group ${adminGroup}${caller.uid === 0 ? '' : ` and ${join}`}`;
    return finding('failed', `the group ${adminGroup} does not exist`, {}, { plan });
  }
  if (caller.uid === 0) return ok('root needs no group');
  if (groups.includes(group.gid)) return ok(`${caller.name} is in ${adminGroup}`);
  if (group.members.includes(caller.name))
    return ok(
      `${caller.name} is in ${adminGroup}; this login session does not have the group yet, so coi uses sg`,
    );
  return finding(
    'failed',
    `${caller.name} is not in ${adminGroup}`,
    {},
    {
      plan: join,
      hint: `Run \`sudo usermod -aG ${adminGroup} ${caller.name}\`.`,
    },
  );
}

const idFiles = ['/etc/subuid', '/etc/subgid'] as const;
/** Incus's default: enough for fifteen thousand containers with isolated ids. */
const idCount = 1_000_000_000;
const smallestCount = 65_536;
/** End of the valid ids (uid -1 and -2 have a special meaning). */
const idsEnd = 4_294_967_294;

export const idRanges: Check = {
  id: 'uid_mapping',
  title: 'Container id ranges',
  group: 'CRITICAL',
  run: async ({ host }) => {
    const facts = await readIdFacts(host);
    const lacking = facts.files.filter(({ text }) => !hasRange(text)).map(({ path }) => path);
    if (lacking.length === 0) {
      const left = Math.min(...facts.files.map(({ text, pool }) => accountsLeft(text, pool)));
      if (left > 0) return ok('root has id ranges for containers', { accounts_left: left });
      return finding(
        'warning',
        'root has id ranges for containers, but useradd finds none for another account',
        { accounts_left: 0 },
        {
          hint: `When no container exists, move the range of root in ${idFiles.join(' and ')} beyond ${facts.files[0]?.pool.max}.`,
        },
      );
    }
    const range = findIdRange(facts);
    if (!range) {
      return finding(
        'failed',
        'this system is a container with too few ids',
        {},
        { hint: `Give it at least ${100_000 + 2 * smallestCount} ids, preferably a billion.` },
      );
    }
    return finding(
      'failed',
      `root has no range in ${lacking.join(' and ')}`,
      {},
      { plan: `assign root the ids from ${range.first} on in ${lacking.join(' and ')}` },
    );
  },
  fix: async ({ host }) => {
    const facts = await readIdFacts(host);
    const range = findIdRange(facts);
    for (const { path, text } of facts.files) {
      if (!range || hasRange(text)) continue;
      const before = text === '' || text.endsWith('\n') ? text : `${text}\n`;
      const line = `root:${range.first}:${range.count}`;
      await recordCreated(host, { idLines: [{ path, line }] });
      await host.writeText(path, `${before}${line}\n`, 0o644);
    }
  },
};

/** Range from which `useradd` allocates subordinate ids: SUB_UID_MIN, _MAX and _COUNT of login.defs(5). */
export interface AccountPool {
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

export interface IdFacts {
  readonly files: readonly {
    readonly path: string;
    readonly text: string;
    readonly pool: AccountPool;
  }[];
  /** Of this process. */
  readonly uidMap: string;
}

async function readIdFacts(host: SetupHost): Promise<IdFacts> {
  const defs = (await host.readText('/etc/login.defs')) ?? '';
  const files = idFiles.map(async (path) => {
    const kind = path === '/etc/subuid' ? 'UID' : 'GID';
    return { path, text: (await host.readText(path)) ?? '', pool: accountPool(defs, kind) };
  });
  return {
    files: await Promise.all(files),
    uidMap: (await host.readText('/proc/self/uid_map')) ?? '',
  };
}

/** Reads login.defs, with shadow's defaults for missing values. */
export function accountPool(defs: string, kind: 'UID' | 'GID'): AccountPool {
  const value = (name: string, fallback: number) => {
    const text = new RegExp(`^\\s*SUB_${kind}_${name}\\s+(\\d+)`, 'm').exec(defs)?.[1];
    return text === undefined ? fallback : Number(text);
  };
  return {
    min: value('MIN', 100_000),
    max: value('MAX', 600_100_000),
    count: Math.max(1, value('COUNT', 65_536)),
  };
}

/**
 * Finds unused ids that `useradd` does not allocate: beyond its range or, in a container with too few ids for that, the
 * upper part of the available ones. Undefined if there are not enough for one container.
 */
export function findIdRange({
  files,
  uidMap,
}: IdFacts): { first: number; count: number } | undefined {
  const end = Math.min(idsEnd, ...idEnds(uidMap));
  const taken = files
    .flatMap(({ text }) => rangesOf(text))
    .map(({ first, count }) => first + count);
  const beyond = Math.max(...files.map(({ pool }) => pool.max + 1), ...taken);
  const usual = aligned(beyond);
  const small = aligned(Math.max(1_000_000, ...taken));
  const tiny = aligned(Math.max(100_000, ...taken));
  for (const first of [usual, small, tiny]) {
    const count = Math.min(idCount, end - first);
    if (count >= smallestCount * 2) return { first, count };
  }
  return undefined;
}

function aligned(id: number): number {
  return Math.ceil(id / smallestCount) * smallestCount;
}

/** End of the ids of this system: all ids on a host, the mapped ones in a container (uid_map, user_namespaces(7)). */
function idEnds(uidMap: string): number[] {
  return uidMap
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([inside, , count]) =>
      inside === undefined || count === undefined ? [] : [inside + count],
    )
    .toSorted((a, b) => b - a)
    .slice(0, 1);
}

/** For how many more accounts `useradd` can allocate ids. */
export function accountsLeft(text: string, { min, max, count }: AccountPool): number {
  const taken = rangesOf(text).toSorted((a, b) => a.first - b.first);
  let left = 0;
  let from = min;
  for (const range of [...taken, { first: max + 1, count: 0 }]) {
    left += Math.max(0, Math.floor((Math.min(range.first, max + 1) - from) / count));
    from = Math.max(from, range.first + range.count);
  }
  return left;
}

/** Whether root has a range for at least one container. */
export function hasRange(text: string): boolean {
  return rangesOf(text).some(
    ({ name, count }) => (name === 'root' || name === '0') && count >= smallestCount,
  );
}

/** The lines of subuid(5). */
function rangesOf(text: string): { name: string; first: number; count: number }[] {
  return text.split('\n').flatMap((line) => {
    const [, name, first, count] = /^([^:]+):(\d+):(\d+)$/.exec(line.trim()) ?? [];
    return name === undefined ? [] : [{ name, first: Number(first), count: Number(count) }];
  });
}
