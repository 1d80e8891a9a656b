// What setup made on this host and is still here: looked at once, changed by nothing here.
import type { Image, Network, Profile, StoragePool } from '../../incus/shapes.ts';
import { imageKeys } from '../../instance-keys.ts';
import { type Container, coiContainers } from '../../session/record/instance-record.ts';
import type { Ground } from '../check.ts';
import { parseGroup } from '../checks/access.ts';
import { unitPath } from '../checks/coi.ts';
import { adminGroup } from '../checks/incus.ts';
import { limitsKept } from '../checks/limits.ts';
import { bridgeDescription, bridgeName, forwardingKept } from '../checks/network.ts';
import { derivedPath, missingPackages } from '../checks/packages.ts';
import { madeHere } from '../checks/storage.ts';
import {
  type IdLine,
  idFiles,
  isSameLine,
  ownIdsName,
  parseIdLines,
  singleIds,
} from '../id-lines.ts';
import { type Made, nothingMade, readMade, stateDir } from '../made.ts';
import { serverState } from '../server.ts';
import { isOther, type Stranger, strangersOf } from './elsewhere.ts';
import { openings } from './firewalls.ts';
import { removablePackages } from './packages.ts';
import { type Unfinished, unfinished } from './unfinished.ts';

export interface RemoveGround extends Ground {
  /** Ends coid; false if none ran. */
  stopCoid(): Promise<boolean>;
  /** Ends coid, if it runs, and starts it: it takes up at once what it could not finish. */
  restartCoid(): Promise<void>;
  /** Tells of work for workspaces that is given up. */
  givenUp(lines: readonly string[]): void;
  /** Deletes a container, running or not. */
  endContainer(container: Container): Promise<void>;
  /** Removes a directory below a home, whatever an agent put into it, and without a link on the way. */
  removeData(home: string, relative: string): Promise<void>;
  readonly prefix: string;
}

/** What Incus has; undefined where it does not answer. */
export interface IncusFacts {
  /** Sessions of all users, and whatever else has coi's prefix. */
  readonly containers: readonly Container[];
  /** How many instances of the same project are not coi's. */
  readonly others: number;
  /** The instances of other projects. */
  readonly strangers: readonly Stranger[];
  /** Those that `coi build` made, which can be built again. */
  readonly images: readonly Image[];
  readonly pool: StoragePool | undefined;
  readonly bridge: Network | undefined;
  readonly profile: Profile | undefined;
}

export interface Facts {
  readonly made: Made;
  /** There is a record, but it cannot be read. */
  readonly unreadable: boolean;
  readonly unit: boolean;
  readonly coidRuns: boolean;
  /** nftables tables, as `inet coi`. */
  readonly tables: readonly string[];
  /** Commands that take back what other firewalls were told. */
  readonly openings: readonly (readonly string[])[];
  readonly incusInstalled: boolean;
  readonly incus: IncusFacts | undefined;
  /** Files of the kernel's settings with a first line of ours. */
  readonly sysctls: readonly string[];
  readonly aptSource: boolean;
  /** Of those in the record, the ones that are still there. */
  readonly idLines: readonly IdLine[];
  /** Single ids of root's of which no record says who added them. */
  readonly unknownIds: readonly IdLine[];
  /** What coid has yet to do for workspaces of sessions, which may be running. */
  readonly notes: readonly Unfinished[];
  readonly members: readonly string[];
  /** Everybody in the group. */
  readonly allMembers: readonly string[];
  readonly packages: readonly string[];
  /** Of these, the ones that no package of others needs. */
  readonly removable: readonly string[];
  readonly program: boolean;
  /** coid's directories in /run and /var/log, and the names in the third. */
  readonly runs: boolean;
  readonly logs: boolean;
  readonly state: readonly string[];
  /** Directories of the user, relative to the home: configuration, conversations, logins; compiled code. */
  readonly home: string | undefined;
  readonly data: readonly string[];
}

export const runDir = '/run/coi';
export const logDir = '/var/log/coi';
const writtenHere = '# Written by `coi setup`';

/** `forApt`: packages may be to go, too, so apt is asked about them, which takes seconds. */
export async function removalFacts(ground: RemoveGround, forApt: boolean): Promise<Facts> {
  const { machine, installer } = ground;
  const record = await readMade(machine);
  const made = record ?? nothingMade;
  const exists = async (path: string) => (await machine.kind(path)) !== 'missing';
  const anyExists = async (paths: readonly string[]) =>
    (await Promise.all(paths.map(exists))).includes(true);
  // Behind a link of the user's nothing is touched: this is root.
  const existingBelow = async (top: string, paths: readonly string[]) => {
    const found = paths.map(
      async (path) =>
        (await machine.kind(`${top}/${path.split('/')[0]}`)) === 'directory' &&
        (await exists(`${top}/${path}`)),
    );
    const there = await Promise.all(found);
    return paths.filter((_, at) => there[at]);
  };
  const ours = async (paths: readonly string[]) => {
    const texts = await Promise.all(paths.map((path) => machine.readText(path)));
    return paths.filter((_, at) => texts[at]?.startsWith(writtenHere));
  };
  const [incus, tables, missing, groups, install] = await Promise.all([
    incusFacts(ground),
    machine.run(['nft', 'list', 'tables'], { signal: ground.signal }),
    missingPackages(machine),
    machine.readText('/etc/group'),
    installer?.state(),
  ]);
  const home = await homeOf(ground);
  const packages = made.packages.filter((name) => !missing.includes(name));
  const allMembers = parseGroup(groups ?? '', adminGroup)?.members ?? [];
  const noted = parseIdLines(await machine.readText(`${stateDir}/${ownIdsName}`));
  const ids = await idFacts(ground, [...made.idLines, ...noted]);
  return {
    made,
    unreadable: record === undefined,
    unit: await exists(unitPath),
    coidRuns: await coidRuns(ground),
    tables: ['inet coi', 'bridge coi'].filter((table) =>
      tables.stdout.split('\n').includes(`table ${table}`),
    ),
    openings: await openings(machine),
    incusInstalled: !missing.includes('incus-base'),
    incus,
    sysctls: await ours([forwardingKept, limitsKept]),
    aptSource: (await ours([derivedPath])).length > 0,
    ...ids,
    notes: await unfinished(machine),
    members: made.members.filter((name) => allMembers.includes(name)),
    allMembers,
    packages,
    removable: forApt ? await removablePackages(machine, packages) : packages,
    program:
      install?.link === 'ours' ||
      install?.man === 'ours' ||
      (await anyExists(installer ? installer.paths : [])),
    runs: await exists(runDir),
    logs: await exists(logDir),
    state: await machine.names(stateDir),
    home,
    data: home === undefined ? [] : await existingBelow(home, ['.coi', '.cache/coi']),
  };
}

/** Of the lines that were written down, those that are there, each once; and those that look like them. */
async function idFacts(
  { machine }: Pick<Ground, 'machine'>,
  noted: readonly IdLine[],
): Promise<Pick<Facts, 'idLines' | 'unknownIds'>> {
  const found = idFiles.map(async (path) => {
    const text = (await machine.readText(path)) ?? '';
    const lines = text.split('\n');
    const own = noted.filter(
      (one, at) =>
        one.path === path &&
        lines.includes(one.line) &&
        noted.findIndex((other) => isSameLine(one, other)) === at,
    );
    return { idLines: own, unknownIds: singleIds(path, text, own) };
  });
  const all = await Promise.all(found);
  return {
    idLines: all.flatMap(({ idLines }) => idLines),
    unknownIds: all.flatMap(({ unknownIds }) => unknownIds),
  };
}

async function coidRuns(ground: Ground): Promise<boolean> {
  try {
    await ground.coidStatus();
    return true;
  } catch (error) {
    ground.signal.throwIfAborted();
    return (error as { code?: string }).code === 'coid-version';
  }
}

/** Below the home of whoever uses coi; undefined where that is unknown. */
async function homeOf({ machine, caller }: Ground): Promise<string | undefined> {
  const line = ((await machine.readText('/etc/passwd')) ?? '')
    .split('\n')
    .find((one) => Number(one.split(':')[2] || Number.NaN) === caller.uid);
  const home = line?.split(':')[5];
  return home?.startsWith('/') ? home : undefined;
}

async function incusFacts(ground: RemoveGround): Promise<IncusFacts | undefined> {
  const state = await serverState(ground);
  if (state.kind !== 'ready') return undefined;
  const { incus } = state;
  const options = { signal: ground.signal };
  const [everywhere, images, pools, bridge, profile] = await Promise.all([
    incus.instances({ ...options, allProjects: true }),
    incus.images(options),
    incus.storagePools(options),
    incus.network(bridgeName, options),
    incus.profile('default', options),
  ]);
  const instances = everywhere.filter(({ project }) => !isOther(project));
  const containers = coiContainers(instances, ground.prefix, undefined);
  return {
    containers,
    others: instances.length - containers.length,
    strangers: strangersOf(everywhere),
    images: images.filter(({ properties }) => properties[imageKeys.built] !== undefined),
    pool: pools.find(({ description }) => description === madeHere),
    bridge: bridge?.description === bridgeDescription ? bridge : undefined,
    profile,
  };
}
