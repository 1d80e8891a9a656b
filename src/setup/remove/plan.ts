// The plan of `coi setup --remove`: what it removes, in order, and what stays and why. Pure.

import type { Device } from '../../incus/shapes.ts';
import { pluralize } from '../../pluralize.ts';
import type { Container } from '../../session/record/instance-record.ts';
import { adminGroup } from '../checks/incus.ts';
import { backportsSourcePath } from '../checks/packages.ts';
import { type IdLine, singleIdsName } from '../id-lines.ts';
import { setupRecordName, stateDir } from '../setup-record.ts';
import { type IncusFacts, logDir, type RemovalFacts, runDir } from './facts.ts';
import { countedList, shortList } from './format-list.ts';
import {
  findOtherProjects,
  noOtherProjects,
  type OtherProjects,
  parseUser,
} from './other-projects.ts';

export interface RemoveRequest {
  /** Also remove session containers, even running ones. */
  readonly sessions: boolean;
  /** Also remove the user's coi directory and the monitor's evidence. */
  readonly data: boolean;
  /** Also remove the packages that setup installed. */
  readonly packages: boolean;
  /** Continue although other projects use something, or coid cannot finish its work. */
  readonly force: boolean;
}

export type Action =
  | { readonly kind: 'containers'; readonly containers: readonly Container[] }
  /** `all`: no session is left that needs coid's notes. */
  | {
      readonly kind: 'coid';
      readonly unit: boolean;
      readonly all: boolean;
      readonly force: boolean;
    }
  | { readonly kind: 'tables'; readonly tables: readonly string[] }
  | { readonly kind: 'openings'; readonly commands: readonly (readonly string[])[] }
  | { readonly kind: 'images'; readonly fingerprints: readonly string[] }
  | { readonly kind: 'profile'; readonly devices: readonly string[] }
  | { readonly kind: 'bridge'; readonly name: string }
  | { readonly kind: 'pool'; readonly name: string }
  | { readonly kind: 'ids'; readonly lines: readonly IdLine[] }
  | { readonly kind: 'files'; readonly paths: readonly string[] }
  | { readonly kind: 'members'; readonly names: readonly string[] }
  | { readonly kind: 'packages'; readonly names: readonly string[] }
  | { readonly kind: 'group' }
  | { readonly kind: 'data'; readonly home: string; readonly paths: readonly string[] }
  | { readonly kind: 'program' }
  /** Last, since the record of setup may be among them. */
  | { readonly kind: 'directories'; readonly paths: readonly string[] };

export interface Step {
  readonly title: string;
  /** In the imperative, as in the plans of setup. */
  readonly plan: string;
  readonly action: Action;
}

export interface RemovalPlan {
  readonly steps: readonly Step[];
  /** What stays although coi or setup created it, with the reason. */
  readonly remaining: readonly string[];
  /** Running sessions, if sessions are not to be removed. */
  readonly running: readonly string[];
  /** Sessions in other Incus projects prevent the removal; so do other users, unless `force`. */
  readonly otherProjects: OtherProjects;
}

export function planRemoval(facts: RemovalFacts, request: RemoveRequest): RemovalPlan {
  const containers = facts.incus?.containers ?? [];
  const kept = request.sessions ? [] : containers;
  const remaining: string[] = [];
  const steps: Step[] = [];
  const step = (title: string, plan: string, action: Action) => steps.push({ title, plan, action });

  if (request.sessions && containers.length > 0)
    step(
      'Sessions',
      `end and delete ${countedList(
        'container',
        containers.map(({ name }) => name),
      )}`,
      {
        kind: 'containers',
        containers,
      },
    );
  if (kept.length > 0)
    remaining.push(
      `${countedList(
        'container',
        kept.map(({ name }) => name),
      )} (--sessions deletes them)`,
    );
  const { unit } = facts;
  // If no coid runs, one is started to finish the pending work.
  const finish = kept.length === 0 && facts.notes.length > 0;
  if (unit || facts.coidRuns || finish)
    step('coid', unit ? 'stop and remove the coid service' : 'stop coid', {
      kind: 'coid',
      unit,
      all: kept.length === 0,
      force: request.force,
    });
  if (facts.tables.length > 0)
    step('Network rules', `delete the nftables tables ${facts.tables.join(' and ')}`, {
      kind: 'tables',
      tables: facts.tables,
    });
  if (facts.openings.length > 0)
    step('Other firewalls', 'remove the rules that permit sessions', {
      kind: 'openings',
      commands: facts.openings,
    });
  const foreign = facts.incus ? planIncus(facts.incus, kept, request, step, remaining) : 0;
  if (!facts.incus && facts.incusInstalled)
    remaining.push(
      'everything that setup created in Incus: Incus does not answer (start it, then run this again)',
    );
  const recorded = planHost(facts, request, kept.length + foreign, step, remaining);
  const { home, data } = facts;
  if (home !== undefined && data.length > 0) {
    const paths = data.map((path) => `${home}/${path}`).join(' and ');
    if (request.data) step('Your data', `delete ${paths}`, { kind: 'data', home, paths: data });
    else remaining.push(`${paths} (--data deletes them)`);
  }
  if (facts.program)
    step('coi', 'remove the installed program and its man page', { kind: 'program' });
  if (kept.length > 0) remaining.push(`${stateDir}, which the sessions need`);
  else planDirectories(facts, request, recorded, step, remaining);
  if (facts.recordUnreadable)
    remaining.push('everything in the record of setup, which cannot be read');
  const running = kept.filter(({ status }) => status !== 'Stopped').map(({ name }) => name);
  const ids = facts.idLines.length > 0;
  const others = facts.incus ? findOtherProjects({ ...facts.incus, ids }) : noOtherProjects;
  return { steps, remaining, running, otherProjects: others };
}

type AddStep = (title: string, plan: string, action: Action) => void;

/** Returns the number of instances that are not coi's. */
function planIncus(
  { containers, others, foreign, images, pool, bridge, profile }: IncusFacts,
  kept: readonly Container[],
  request: RemoveRequest,
  step: AddStep,
  remaining: string[],
): number {
  const removed = new Set<string>(
    kept.length > 0 ? [] : images.map(({ fingerprint }) => `/1.0/images/${fingerprint}`),
  );
  if (request.sessions) for (const { name } of containers) removed.add(`/1.0/instances/${name}`);
  const usersOf = (usedBy: readonly string[]) =>
    usedBy
      .map(parseUser)
      .filter(
        ({ path, isOther }) =>
          isOther ||
          (path !== '/1.0/profiles/default' && !removed.has(path.split('/').slice(0, 4).join('/'))),
      )
      .map(({ text }) => text);
  const poolUsers = usersOf(pool?.used_by ?? []);
  const bridgeUsers = usersOf(bridge?.used_by ?? []);
  const poolGoes = pool !== undefined && poolUsers.length === 0;
  const bridgeGoes = bridge !== undefined && bridgeUsers.length === 0;
  const imageList = countedList('image', images.map(imageName));
  if (images.length > 0 && kept.length === 0)
    step('Images', `delete ${imageList} that coi built`, {
      kind: 'images',
      fingerprints: images.map(({ fingerprint }) => fingerprint),
    });
  else if (images.length > 0) remaining.push(`${imageList} that coi built, because sessions stay`);
  const device = (name: string): Device | undefined => profile?.devices[name];
  const devices = [
    ...(poolGoes && device('root')?.['pool'] === pool.name ? ['root'] : []),
    ...(bridgeGoes && device('eth0')?.['network'] === bridge.name ? ['eth0'] : []),
  ];
  if (devices.length > 0)
    step('Default profile', `remove ${devices.join(' and ')} from Incus's default profile`, {
      kind: 'profile',
      devices,
    });
  if (bridgeGoes)
    step('Network bridge', `delete the bridge ${bridge.name}`, {
      kind: 'bridge',
      name: bridge.name,
    });
  else if (bridge) remaining.push(`the bridge ${bridge.name}, used by ${shortList(bridgeUsers)}`);
  if (poolGoes)
    step('Storage pool', `delete the storage pool "${pool.name}"`, {
      kind: 'pool',
      name: pool.name,
    });
  else if (pool) remaining.push(`the storage pool "${pool.name}", used by ${shortList(poolUsers)}`);
  return others + foreign.length;
}

/** Returns whether anything stays that only the record of setup names. */
function planHost(
  facts: RemovalFacts,
  request: RemoveRequest,
  instances: number,
  step: AddStep,
  remaining: string[],
): boolean {
  const unknown = facts.incus === undefined && facts.incusInstalled;
  const inUse = unknown ? 'Incus does not answer' : `Incus has ${pluralize(instances, 'instance')}`;
  const free = !unknown && instances === 0;
  if (facts.idLines.length > 0) {
    const lines = facts.idLines.map(({ path, line }) => `${line} in ${path}`);
    if (free)
      step('Container id ranges', `remove ${lines.join(' and ')}`, {
        kind: 'ids',
        lines: facts.idLines,
      });
    else remaining.push(`${lines.join(' and ')}: ${inUse}`);
  }
  for (const { path, line } of facts.unknownIds)
    remaining.push(
      `${line} in ${path}: its origin is unknown (older versions of coi did not record it, and others add such lines too); remove it if nothing needs it`,
    );
  if (facts.sysctls.length > 0)
    step(
      'Kernel settings',
      `remove ${facts.sysctls.join(' and ')} (in effect from the next boot)`,
      {
        kind: 'files',
        paths: facts.sysctls,
      },
    );
  if (facts.members.length > 0)
    step('Incus group', `remove ${facts.members.join(', ')} from the group ${adminGroup}`, {
      kind: 'members',
      names: facts.members,
    });
  const removed = request.packages && free ? facts.removable : [];
  if (removed.length > 0)
    step('Packages', `remove ${removed.join(', ')} with apt`, { kind: 'packages', names: removed });
  const reason = free ? 'others need them' : inUse;
  const keptPackages = facts.packages.filter((name) => !removed.includes(name));
  if (keptPackages.length > 0)
    remaining.push(
      `the packages that setup installed: ${keptPackages.join(', ')} (${request.packages ? reason : '--packages removes them'})`,
    );
  const incusGone = !facts.incusInstalled || removed.includes('incus-base');
  if (facts.aptSource && incusGone)
    step('Package source', `remove ${backportsSourcePath}`, {
      kind: 'files',
      paths: [backportsSourcePath],
    });
  else if (facts.aptSource)
    remaining.push(
      `${backportsSourcePath}: without it the Incus that is installed gets no updates`,
    );
  const left = facts.allMembers.filter((name) => !facts.members.includes(name));
  if (facts.record.group && left.length === 0 && incusGone)
    step('Group', `delete the group ${adminGroup}`, { kind: 'group' });
  return keptPackages.length > 0 || (facts.idLines.length > 0 && !free);
}

function planDirectories(
  { runs, logs, state }: RemovalFacts,
  { data }: RemoveRequest,
  recorded: boolean,
  step: AddStep,
  remaining: string[],
): void {
  const evidence = state.includes('evidence') && !data;
  const records = recorded
    ? [setupRecordName, singleIdsName].filter((name) => state.includes(name))
    : [];
  const kept = [...records, ...(evidence ? ['evidence'] : [])];
  const ofState =
    kept.length === 0
      ? [stateDir]
      : state.filter((name) => !kept.includes(name)).map((name) => `${stateDir}/${name}`);
  const paths = [
    ...(runs ? [runDir] : []),
    ...(logs ? [logDir] : []),
    ...(state.length > 0 ? ofState : []),
  ];
  if (paths.length > 0)
    step('Service data', `delete ${paths.join(', ')}`, { kind: 'directories', paths });
  if (records.length > 0)
    remaining.push(
      `${records.map((name) => `${stateDir}/${name}`).join(' and ')} (coi's record of these items)`,
    );
  if (evidence)
    remaining.push(`${stateDir}/evidence, the evidence of stopped sessions (--data deletes it)`);
}

const imageName = ({ aliases, fingerprint }: IncusFacts['images'][number]) =>
  aliases.map(({ name }) => name).sort()[0] ?? fingerprint.slice(0, 12);
