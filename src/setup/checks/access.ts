// Who may use Incus, and which ids containers may have.
import type { Machine } from '../../host/machine.ts';
import { type Check, type Finding, finding, ok } from '../check.ts';
import { command } from '../command.ts';
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
  title: 'Group of Incus',
  group: 'CRITICAL',
  probe: async ({ machine, caller }) => {
    const group = parseGroup((await machine.readText('/etc/group')) ?? '', adminGroup);
    return membershipFinding(group, caller, machine.groups);
  },
  fix: async (ground) => {
    const group = parseGroup((await ground.machine.readText('/etc/group')) ?? '', adminGroup);
    if (!group) await command(ground, ['groupadd', '--system', adminGroup]);
    if (ground.caller.uid !== 0)
      await command(ground, ['gpasswd', '--add', ground.caller.name, adminGroup]);
  },
};

export function membershipFinding(
  group: Group | undefined,
  caller: { name: string; uid: number },
  groups: readonly number[],
): Finding {
  const join = `make ${caller.name} a member of ${adminGroup} (its members can become root through Incus)`;
  if (!group) {
    const plan = `make the group ${adminGroup}${caller.uid === 0 ? '' : ` and ${join}`}`;
    return finding('failed', `there is no group ${adminGroup}`, {}, { plan });
  }
  if (caller.uid === 0) return ok('root needs none');
  if (groups.includes(group.gid)) return ok(`${caller.name} is in ${adminGroup}`);
  if (group.members.includes(caller.name))
    return ok(
      `${caller.name} is in ${adminGroup}; this login does not have it yet, coi goes through sg`,
    );
  return finding(
    'failed',
    `${caller.name} is not in ${adminGroup}`,
    {},
    {
      plan: join,
      hint: `sudo usermod -aG ${adminGroup} ${caller.name}`,
    },
  );
}

const idFiles = ['/etc/subuid', '/etc/subgid'] as const;
/** Incus's own default: enough for fifteen thousand containers with ids of their own. */
const firstId = 1_000_000;
const idCount = 1_000_000_000;
const smallestCount = 65_536;

export const idRanges: Check = {
  id: 'uid_mapping',
  title: 'Id ranges of containers',
  group: 'CRITICAL',
  probe: async ({ machine }) => {
    const lacking = await filesWithoutRange(machine);
    if (lacking.length === 0) return ok('root may give ids to containers');
    if (idsToGive((await machine.readText('/proc/self/uid_map')) ?? '') < smallestCount) {
      return finding(
        'failed',
        'this system is itself a container that was given too few ids',
        {},
        {
          hint: `Give it ids beyond ${firstId + smallestCount}.`,
        },
      );
    }
    return finding(
      'failed',
      `root has no range in ${lacking.join(' and ')}`,
      {},
      { plan: `give root the ids from ${firstId} on in ${lacking.join(' and ')}` },
    );
  },
  fix: async ({ machine }) => {
    const count = idsToGive((await machine.readText('/proc/self/uid_map')) ?? '');
    for (const path of await filesWithoutRange(machine)) {
      const text = (await machine.readText(path)) ?? '';
      const before = text === '' || text.endsWith('\n') ? text : `${text}\n`;
      await machine.writeText(path, `${before}root:${firstId}:${count}\n`, 0o644);
    }
  },
};

/** How many ids this system can give to containers: a host all of them, a container only what it was given itself (uid_map of user_namespaces(7)). */
export function idsToGive(uidMap: string): number {
  const ends = uidMap
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([inside, , count]) =>
      inside === undefined || count === undefined ? [] : [inside + count],
    );
  const end = Math.max(0, ...ends);
  return end === 0 ? idCount : Math.max(0, Math.min(idCount, end - firstId));
}

/** root has a range of at least one container's size. */
export function hasRange(text: string): boolean {
  return text.split('\n').some((line) => {
    const [name, , count] = line.split(':');
    return (name === 'root' || name === '0') && Number(count) >= smallestCount;
  });
}

async function filesWithoutRange(machine: Machine): Promise<string[]> {
  const texts = await Promise.all(idFiles.map((path) => machine.readText(path)));
  return idFiles.filter((_, at) => !hasRange(texts[at] ?? ''));
}
