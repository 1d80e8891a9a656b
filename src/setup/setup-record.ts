// The record of what setup creates: written before an item is created, so that `coi setup --remove` removes it, and
// nothing that existed before. Items that are recognizable by name or content (the unit, the bridge, the pool, files
// that start with coi's mark) are not in it.
import type { SetupHost } from '../host/install/setup-host.ts';
import { type IdLine, isIdLines, isSameLine } from './id-lines.ts';

/** coid's directory (coid-api/protocol.ts). */
export const stateDir = '/var/lib/coi';
export const setupRecordName = 'setup.json';
const recordPath = `${stateDir}/${setupRecordName}`;

export interface SetupRecord {
  readonly packages: readonly string[];
  /** The group incus-admin. */
  readonly group: boolean;
  /** Users that setup added to that group. */
  readonly members: readonly string[];
  readonly idLines: readonly IdLine[];
  /** Target of the other link that setup replaced. */
  readonly link: string | undefined;
}

export const emptySetupRecord: SetupRecord = {
  packages: [],
  group: false,
  members: [],
  idLines: [],
  link: undefined,
};

/** Undefined if there is a record that cannot be parsed. */
export async function readSetupRecord(host: SetupHost): Promise<SetupRecord | undefined> {
  const text = await host.readText(recordPath);
  return text === undefined ? emptySetupRecord : parseSetupRecord(text);
}

/** Adds to the record. Called before an item is created; a recorded item that does not exist is ignored later. */
export async function recordCreated(host: SetupHost, more: Partial<SetupRecord>): Promise<void> {
  const before = (await readSetupRecord(host)) ?? emptySetupRecord;
  await writeSetupRecord(host, {
    packages: [...new Set([...before.packages, ...(more.packages ?? [])])],
    group: before.group || (more.group ?? false),
    members: [...new Set([...before.members, ...(more.members ?? [])])],
    idLines: [
      ...before.idLines,
      ...(more.idLines ?? []).filter(
        (one) => !before.idLines.some((other) => isSameLine(one, other)),
      ),
    ],
    link: more.link ?? before.link,
  });
}

/** Removes deleted items from the record. */
export async function recordRemoved(
  host: SetupHost,
  gone: Pick<Partial<SetupRecord>, 'packages' | 'members' | 'idLines'> & {
    group?: true;
    link?: true;
  },
): Promise<void> {
  const before = await readSetupRecord(host);
  if (before === undefined || before === emptySetupRecord) return;
  const without = (names: readonly string[], taken: readonly string[] = []) =>
    names.filter((name) => !taken.includes(name));
  await writeSetupRecord(host, {
    packages: without(before.packages, gone.packages),
    group: before.group && !gone.group,
    members: without(before.members, gone.members),
    idLines: before.idLines.filter((one) => !gone.idLines?.some((other) => isSameLine(one, other))),
    link: gone.link ? undefined : before.link,
  });
}

async function writeSetupRecord(host: SetupHost, made: SetupRecord): Promise<void> {
  await host.writeText(recordPath, `${JSON.stringify({ version: 1, ...made }, null, 2)}\n`, 0o600);
}

/** Undefined for an invalid record. */
export function parseSetupRecord(text: string): SetupRecord | undefined {
  try {
    const { packages, group, members, idLines, link } = JSON.parse(text) as Partial<SetupRecord>;
    const texts = (value: unknown): value is string[] =>
      Array.isArray(value) && value.every((one) => typeof one === 'string');
    if (!texts(packages) || !texts(members) || !isIdLines(idLines)) return undefined;
    const before = typeof link === 'string' ? link : undefined;
    return { packages, group: group === true, members, idLines, link: before };
  } catch {
    return undefined;
  }
}
