// Reads what setup created on this host and what still exists. Changes nothing.
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
  parseIdLines,
  singleIds,
  singleIdsName,
} from '../id-lines.ts';
import { serverState } from '../server.ts';
import { emptySetupRecord, readSetupRecord, type SetupRecord, stateDir } from '../setup-record.ts';
import { findFirewallRules } from './firewalls.ts';
import { type ForeignInstance, foreignInstances, isOtherProject } from './other-projects.ts';
import { findRemovablePackages } from './packages.ts';
import { type PendingWork, readPendingWork } from './pending-work.ts';

export interface RemoveContext extends CheckContext {
  /** Stops coid; false if it did not run. */
  stopCoid(): Promise<boolean>;
  /** Restarts coid, which then retries its unfinished work at once. */
  restartCoid(): Promise<void>;
  /** Reports work for workspaces that is abandoned. */
  reportAbandoned(lines: readonly string[]): void;
  /** Deletes a container, running or not. */
  endContainer(container: Container): Promise<void>;
  /** Removes a directory below a home, whatever an agent put into it, without following links. */
  removeData(home: string, relative: string): Promise<void>;
  readonly prefix: string;
}

/** What Incus contains. */
export interface IncusFacts {
  /** Sessions of all users, and other containers with coi's prefix. */
  readonly containers: readonly Container[];
  /** Number of instances in the same project that are not coi's. */
  readonly others: number;
  /** Instances of other projects. */
  readonly foreign: readonly ForeignInstance[];
  /** Images that `coi build` built, and can build again. */
  readonly images: readonly Image[];
  readonly pool: StoragePool | undefined;
  readonly bridge: Network | undefined;
  readonly profile: Profile | undefined;
}

export interface RemovalFacts {
  readonly record: SetupRecord;
  /** There is a record, but it cannot be parsed. */
  readonly recordUnreadable: boolean;
  readonly unit: boolean;
  readonly coidRuns: boolean;
  /** nftables tables, as `inet coi`. */
  readonly tables: readonly string[];
  /** Commands that remove setup's rules from other firewalls. */
  readonly openings: readonly (readonly string[])[];
  readonly incusInstalled: boolean;
  /** Undefined if Incus does not answer. */
  readonly incus: IncusFacts | undefined;
  /** sysctl files that start with coi's mark. */
  readonly sysctls: readonly string[];
  readonly aptSource: boolean;
  /** Recorded lines that still exist. */
  readonly idLines: readonly IdLine[];
  /** Single ids of root without a record. */
  readonly unknownIds: readonly IdLine[];
  /** coid's pending work for workspaces; their sessions may be running. */
  readonly notes: readonly PendingWork[];
  readonly members: readonly string[];
  /** All members of the group. */
  readonly allMembers: readonly string[];
  readonly packages: readonly string[];
  /** Those of `packages` that no other package needs. */
  readonly removable: readonly string[];
  readonly program: boolean;
  /** Whether coid's directories in /run and /var/log exist, and the names in its state directory. */
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

/** `forApt`: packages may be removed too, so apt is asked about them, which takes seconds. */
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
  // Does not follow links of the user, since this runs as root.
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
  const recorded = parseIdLines(await host.readText(`${stateDir}/${singleIdsName}`));
  const ids = await findIdLines(context, [...record.idLines, ...recorded]);
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

/** The recorded lines that exist, each once, and similar lines without a record. */
async function findIdLines(
  { host }: Pick<CheckContext, 'host'>,
  recorded: readonly IdLine[],
): Promise<Pick<RemovalFacts, 'idLines' | 'unknownIds'>> {
  const found = idFiles.map(async (path) => {
    const text = (await host.readText(path)) ?? '';
    const lines = text.split('\n');
    const own = recorded.filter(
      (one, at) =>
        one.path === path &&
        lines.includes(one.line) &&
        recorded.findIndex((other) => isSameLine(one, other)) === at,
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

/** Home of the user of coi; undefined if it is unknown. */
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
