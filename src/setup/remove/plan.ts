// What `coi setup --remove` takes away, in this order, and what stays and why. Pure.

import type { Device } from '../../incus/shapes.ts';
import { pluralize } from '../../pluralize.ts';
import type { Container } from '../../session/record/instance-record.ts';
import { adminGroup } from '../checks/incus.ts';
import { backportsSourcePath } from '../checks/packages.ts';
import { type IdLine, ownIdsName } from '../id-lines.ts';
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
  /** Containers of sessions too, running ones as well. */
  readonly sessions: boolean;
  /** The user's own directory too, and what the monitor kept. */
  readonly data: boolean;
  /** The packages that setup installed too. */
  readonly packages: boolean;
  /** What is in the way is left as it is: what other projects use, and work that coid cannot finish. */
  readonly force: boolean;
}

export type Action =
  | { readonly kind: 'containers'; readonly containers: readonly Container[] }
  /** `all`: no session is left that needs what coid has noted. */
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
  /** The record of setup may be among them, so this is the last. */
  | { readonly kind: 'directories'; readonly paths: readonly string[] };

export interface Step {
  readonly title: string;
  /** An imperative, as in the plans of setup. */
  readonly plan: string;
  readonly action: Action;
}

export interface RemovalPlan {
  readonly steps: readonly Step[];
  /** What stays although coi or setup made it, each with its reason. */
  readonly remaining: readonly string[];
  /** Sessions that run, while they are not to go. */
  readonly running: readonly string[];
  /** In other projects of Incus: nothing is taken away while these sessions are there, or what others use (without `force`). */
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
  // Where no coid runs, one is started for what another has left to do.
  const finish = kept.length === 0 && facts.notes.length > 0;
  if (unit || facts.coidRuns || finish)
    step('coid', unit ? 'stop and remove the service coid' : 'stop coid', {
      kind: 'coid',
      unit,
      all: kept.length === 0,
      force: request.force,
    });
  if (facts.tables.length > 0)
    step('Rules', `delete the nftables tables ${facts.tables.join(' and ')}`, {
      kind: 'tables',
      tables: facts.tables,
    });
  if (facts.openings.length > 0)
    step('Other firewalls', 'take back what lets sessions through them', {
      kind: 'openings',
      commands: facts.openings,
    });
  const foreign = facts.incus ? planIncus(facts.incus, kept, request, step, remaining) : 0;
  if (!facts.incus && facts.incusInstalled)
    remaining.push(
      'what setup made in Incus: Incus does not answer (start it, then run this again)',
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
  if (facts.recordUnreadable) remaining.push('what the record of setup names: it cannot be read');
  const running = kept.filter(({ status }) => status !== 'Stopped').map(({ name }) => name);
  const ids = facts.idLines.length > 0;
  const others = facts.incus ? findOtherProjects({ ...facts.incus, ids }) : noOtherProjects;
  return { steps, remaining, running, otherProjects: others };
}

type AddStep = (title: string, plan: string, action: Action) => void;

/** Returns how many instances of others there are. */
function planIncus(
  { containers, others, foreign, images, pool, bridge, profile }: IncusFacts,
  kept: readonly Container[],
  request: RemoveRequest,
  step: AddStep,
  remaining: string[],
): number {
  const going = new Set<string>(
    kept.length > 0 ? [] : images.map(({ fingerprint }) => `/1.0/images/${fingerprint}`),
  );
  if (request.sessions) for (const { name } of containers) going.add(`/1.0/instances/${name}`);
  const usersOf = (usedBy: readonly string[]) =>
    usedBy
      .map(parseUser)
      .filter(
        ({ path, isOther }) =>
          isOther ||
          (path !== '/1.0/profiles/default' && !going.has(path.split('/').slice(0, 4).join('/'))),
      )
      .map(({ text }) => text);
  const poolUsers = usersOf(pool?.used_by ?? []);
  const bridgeUsers = usersOf(bridge?.used_by ?? []);
  const poolGoes = pool !== undefined && poolUsers.length === 0;
  const bridgeGoes = bridge !== undefined && bridgeUsers.length === 0;
  if (images.length > 0 && kept.length === 0)
    step('Images', `delete ${countedList('image', images.map(imageName))} that coi built`, {
      kind: 'images',
      fingerprints: images.map(({ fingerprint }) => fingerprint),
    });
  else if (images.length > 0)
    remaining.push(
      `${countedList('image', images.map(imageName))} that coi built, with the sessions`,
    );
  const device = (name: string): Device | undefined => profile?.devices[name];
  const devices = [
    ...(poolGoes && device('root')?.['pool'] === pool.name ? ['root'] : []),
    ...(bridgeGoes && device('eth0')?.['network'] === bridge.name ? ['eth0'] : []),
  ];
  if (devices.length > 0)
    step('Default profile', `take ${devices.join(' and ')} out of Incus's default profile`, {
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

/** Returns whether something stays that only the record of setup names. */
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
      step('Id ranges', `remove ${lines.join(' and ')}`, { kind: 'ids', lines: facts.idLines });
    else remaining.push(`${lines.join(' and ')}: ${inUse}`);
  }
  for (const { path, line } of facts.unknownIds)
    remaining.push(
      `${line} in ${path}: nothing tells who added it (older versions of coi did not write that down, and others add such lines); remove it if nothing needs it`,
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
    step('Group of Incus', `take ${facts.members.join(', ')} out of ${adminGroup}`, {
      kind: 'members',
      names: facts.members,
    });
  const going = request.packages && free ? facts.removable : [];
  if (going.length > 0)
    step('Packages', `remove ${going.join(', ')} with apt`, { kind: 'packages', names: going });
  const staying = facts.packages.filter((name) => !going.includes(name));
  if (staying.length > 0)
    remaining.push(
      `the packages that setup installed: ${staying.join(', ')} ` +
        (!request.packages
          ? '(--packages removes them)'
          : free
            ? '(others need them)'
            : `(${inUse})`),
    );
  const incusGone = !facts.incusInstalled || going.includes('incus-base');
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
  return staying.length > 0 || (facts.idLines.length > 0 && !free);
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
    ? [setupRecordName, ownIdsName].filter((name) => state.includes(name))
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
      `${records.map((name) => `${stateDir}/${name}`).join(' and ')}, which ${records.length > 1 ? 'name' : 'names'} what of that coi made`,
    );
  if (evidence)
    remaining.push(`${stateDir}/evidence, what was kept of stopped sessions (--data deletes it)`);
}

const imageName = ({ aliases, fingerprint }: IncusFacts['images'][number]) =>
  aliases.map(({ name }) => name).sort()[0] ?? fingerprint.slice(0, 12);
