// What setup made on this host and is still here: looked at once, changed by nothing here.
import type { Image, Network, Profile, StoragePool } from '../../incus/shapes.ts';
import { imageKeys } from '../../instance-keys.ts';
import { type Container, coiContainers } from '../../session/record/instance-record.ts';
import type { CheckContext } from '../check.ts';
import { parseGroup } from '../checks/access.ts';
import { unitPath } from '../checks/coi.ts';
import { adminGroup } from '../checks/incus.ts';
import { limitsPath } from '../checks/limits.ts';
import { bridgeDescription, bridgeName, forwardingConfigPath } from '../checks/network.ts';
import { backportsSourcePath, missingPackages } from '../checks/packages.ts';
import { poolDescription } from '../checks/storage.ts';
import {
  type IdLine,
  idFiles,
  isSameLine,
  ownIdsName,
  parseIdLines,
  singleIds,
} from '../id-lines.ts';
import { serverState } from '../server.ts';
import { emptySetupRecord, readSetupRecord, type SetupRecord, stateDir } from '../setup-record.ts';
import { findFirewallRules } from './firewalls.ts';
import { type ForeignInstance, foreignInstances, isOtherProject } from './other-projects.ts';
import { findRemovablePackages } from './packages.ts';
import { type PendingWork, readPendingWork } from './pending-work.ts';

export interface RemoveContext extends CheckContext {
  /** Ends coid; false if none ran. */
  stopCoid(): Promise<boolean>;
  /** Ends coid, if it runs, and starts it: it takes up at once what it could not finish. */
  restartCoid(): Promise<void>;
  /** Tells of work for workspaces that is given up. */
  reportAbandoned(lines: readonly string[]): void;
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
  readonly foreign: readonly ForeignInstance[];
  /** Those that `coi build` made, which can be built again. */
  readonly images: readonly Image[];
  readonly pool: StoragePool | undefined;
  readonly bridge: Network | undefined;
  readonly profile: Profile | undefined;
}

export interface RemovalFacts {
  readonly record: SetupRecord;
  /** There is a record, but it cannot be read. */
  readonly recordUnreadable: boolean;
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
  readonly notes: readonly PendingWork[];
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
const fileMark = '# Written by `coi setup`';

/** `forApt`: packages may be to go, too, so apt is asked about them, which takes seconds. */
export async function readRemovalFacts(
  context: RemoveContext,
  forApt: boolean,
): Promise<RemovalFacts> {
  const { host, installer } = context;
  const found = await readSetupRecord(host);
  const record = found ?? emptySetupRecord;
  const exists = async (path: string) => (await host.kind(path)) !== 'missing';
  const anyExists = async (paths: readonly string[]) =>
    (await Promise.all(paths.map(exists))).includes(true);
  // Behind a link of the user's nothing is touched: this is root.
  const existingBelow = async (top: string, paths: readonly string[]) => {
    const found = paths.map(
      async (path) =>
        (await host.kind(`${top}/${path.split('/')[0]}`)) === 'directory' &&
        (await exists(`${top}/${path}`)),
    );
    const there = await Promise.all(found);
    return paths.filter((_, at) => there[at]);
  };
  const ours = async (paths: readonly string[]) => {
    const texts = await Promise.all(paths.map((path) => host.readText(path)));
    return paths.filter((_, at) => texts[at]?.startsWith(fileMark));
  };
  const [incus, tables, missing, groups, install] = await Promise.all([
    readIncusFacts(context),
    host.run(['nft', 'list', 'tables'], { signal: context.signal }),
    missingPackages(host),
    host.readText('/etc/group'),
    installer?.state(),
  ]);
  const home = await findHome(context);
  const packages = record.packages.filter((name) => !missing.includes(name));
  const allMembers = parseGroup(groups ?? '', adminGroup)?.members ?? [];
  const noted = parseIdLines(await host.readText(`${stateDir}/${ownIdsName}`));
  const ids = await findIdLines(context, [...record.idLines, ...noted]);
  return {
    record,
    recordUnreadable: found === undefined,
    unit: await exists(unitPath),
    coidRuns: await isCoidRunning(context),
    tables: ['inet coi', 'bridge coi'].filter((table) =>
      tables.stdout.split('\n').includes(`table ${table}`),
    ),
    openings: await findFirewallRules(host),
    incusInstalled: !missing.includes('incus-base'),
    incus,
    sysctls: await ours([forwardingConfigPath, limitsPath]),
    aptSource: (await ours([backportsSourcePath])).length > 0,
    ...ids,
    notes: await readPendingWork(host),
    members: record.members.filter((name) => allMembers.includes(name)),
    allMembers,
    packages,
    removable: forApt ? await findRemovablePackages(host, packages) : packages,
    program:
      install?.link === 'ours' ||
      install?.man === 'ours' ||
      (await anyExists(installer ? installer.paths : [])),
    runs: await exists(runDir),
    logs: await exists(logDir),
    state: await host.names(stateDir),
    home,
    data: home === undefined ? [] : await existingBelow(home, ['.coi', '.cache/coi']),
  };
}

/** Of the lines that were written down, those that are there, each once; and those that look like them. */
async function findIdLines(
  { host }: Pick<CheckContext, 'host'>,
  noted: readonly IdLine[],
): Promise<Pick<RemovalFacts, 'idLines' | 'unknownIds'>> {
  const found = idFiles.map(async (path) => {
    const text = (await host.readText(path)) ?? '';
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

async function isCoidRunning(context: CheckContext): Promise<boolean> {
  try {
    await context.coidStatus();
    return true;
  } catch (error) {
    context.signal.throwIfAborted();
    return (error as { code?: string }).code === 'coid-version';
  }
}

/** Below the home of whoever uses coi; undefined where that is unknown. */
async function findHome({ host, caller }: CheckContext): Promise<string | undefined> {
  const line = ((await host.readText('/etc/passwd')) ?? '')
    .split('\n')
    .find((one) => Number(one.split(':')[2] || Number.NaN) === caller.uid);
  const home = line?.split(':')[5];
  return home?.startsWith('/') ? home : undefined;
}

async function readIncusFacts(context: RemoveContext): Promise<IncusFacts | undefined> {
  const state = await serverState(context);
  if (state.kind !== 'ready') return undefined;
  const { incus } = state;
  const options = { signal: context.signal };
  const [everywhere, images, pools, bridge, profile] = await Promise.all([
    incus.instances({ ...options, allProjects: true }),
    incus.images(options),
    incus.storagePools(options),
    incus.network(bridgeName, options),
    incus.profile('default', options),
  ]);
  const instances = everywhere.filter(({ project }) => !isOtherProject(project));
  const containers = coiContainers(instances, context.prefix, undefined);
  return {
    containers,
    others: instances.length - containers.length,
    foreign: foreignInstances(everywhere),
    images: images.filter(({ properties }) => properties[imageKeys.built] !== undefined),
    pool: pools.find(({ description }) => description === poolDescription),
    bridge: bridge?.description === bridgeDescription ? bridge : undefined,
    profile,
  };
}
