// Allocates slot, name, interface, MAC, address and ids of a new session. Pure.
import { createHash } from 'node:crypto';
import { addressAt, addressText, rangeSize } from '../../addresses/ipv4.ts';
import type { ReserveRequest } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import type { Instance } from '../../incus/shapes.ts';
import {
  autoSlotMax,
  type ContainerName,
  containerName,
  firstSlot,
  type Slot,
  slotMax,
  slotNumber,
} from '../../names.ts';
import { sessionRecord } from '../../session/record/instance-record.ts';
import type { Bridge } from './bridge.ts';

export interface Allocation {
  readonly container: ContainerName;
  readonly slot: Slot;
  readonly idmapBase: number;
  readonly hostName: string;
  readonly mac: string;
  readonly address: string;
}

/** What instances and leases use. */
export interface UsedResources {
  readonly names: ReadonlySet<string>;
  readonly hostNames: ReadonlySet<string>;
  readonly macs: ReadonlySet<string>;
  readonly addresses: ReadonlySet<string>;
  /** First host ids of containers, each with the key that it is allocated for (see `idsKey`). */
  readonly idmapBases: ReadonlyMap<number, string>;
}

/** Host ids for containers: root's range of /etc/subuid and /etc/subgid. */
export interface IdRange {
  readonly from: number;
  readonly count: number;
}

export interface AllocationRequest {
  readonly request: Pick<ReserveRequest, 'prefix' | 'hash' | 'slot' | 'container' | 'workspace'>;
  readonly ownerUid: number;
  /** Id of the reservation; values that must never be reused are derived from it. */
  readonly id: string;
}

/** Number of ids that Incus gives to an isolated container. */
export const idsPerContainer = 65_536;
const idmapChoicesMax = 15_000;
/** The vendor prefix that Incus uses for its own NICs. */
const macPrefix = '10:66:6a';
/** Candidates to try; far more than could be taken by chance. */
const triesMax = 100_000;

/** Throws `slot-taken`, or `coid-failed` if addresses or ids have run out. */
export function allocate(
  wanted: AllocationRequest,
  taken: UsedResources,
  bridge: Bridge,
  ids: IdRange,
): Allocation {
  const { container, slot } = freeSlot(wanted.request, taken.names);
  return {
    container,
    slot,
    idmapBase: idmapBaseOf(wanted.ownerUid, wanted.request.workspace, taken.idmapBases, ids),
    // From the reservation, not the name: leftover rules of a deleted container cannot affect the next one of its name.
    hostName: firstFree(
      (salt) => `coi${digest(`${wanted.id} ${salt}`).toString('hex').slice(0, 10)}`,
      taken.hostNames,
      'interface name',
    ),
    mac: firstFree((salt) => macAddress(digest(`${container} ${salt}`)), taken.macs, 'MAC address'),
    address: freeAddress(container, taken.addresses, bridge),
  };
}

/** Sessions of one owner and workspace share an id range, so that their files in the store keep the right owner. */
export function idsKey(ownerUid: number, workspace: string): string {
  return `${ownerUid}:${workspace}`;
}

/** What all instances use, running or not, whoever created them. */
export function usedByInstances(instances: readonly Instance[]): UsedResources {
  const nics = instances.flatMap(({ config, expanded_devices: devices }) =>
    Object.entries(devices ?? {})
      .filter(([, device]) => device['type'] === 'nic')
      .map(([name, device]) => ({
        hostName: device['host_name'] ?? config[`volatile.${name}.host_name`],
        mac: device['hwaddr'] ?? config[`volatile.${name}.hwaddr`],
        address: device['ipv4.address'],
      })),
  );
  const idmapBases = instances.flatMap(({ name, config }): [number, string][] => {
    const record = sessionRecord(config);
    const key = record ? idsKey(record.mounts.ownerUid, record.workspace) : name;
    const bases = [
      config['security.idmap.base'],
      config['volatile.idmap.base'],
      record?.mounts.idmapBase,
    ];
    return bases
      .map(Number)
      .filter((base) => base > 0)
      .map((base) => [base, key]);
  });
  const present = (texts: readonly (string | undefined)[]) =>
    new Set(texts.filter((text) => text !== undefined));
  return {
    names: new Set(instances.map(({ name }) => name)),
    hostNames: present(nics.map(({ hostName }) => hostName)),
    macs: present(nics.map(({ mac }) => mac?.toLowerCase())),
    addresses: present(nics.map(({ address }) => address)),
    idmapBases: new Map(idmapBases),
  };
}

export function mergeUsed(all: readonly UsedResources[]): UsedResources {
  return {
    names: new Set(all.flatMap(({ names }) => [...names])),
    hostNames: new Set(all.flatMap(({ hostNames }) => [...hostNames])),
    macs: new Set(all.flatMap(({ macs }) => [...macs])),
    addresses: new Set(all.flatMap(({ addresses }) => [...addresses])),
    idmapBases: new Map(all.flatMap(({ idmapBases }) => [...idmapBases])),
  };
}

function freeSlot(
  { container, prefix, hash, slot }: AllocationRequest['request'],
  names: ReadonlySet<string>,
): { container: ContainerName; slot: Slot } {
  const first = slot.kind === 'from' ? slot.slot : firstSlot;
  if (container !== undefined) {
    if (!names.has(container)) return { container, slot: first };
    throw new CoiError('slot-taken', `a container named ${container} exists`, {
      hint: 'Attach to it, or choose another name.',
    });
  }
  const last = first > autoSlotMax ? slotMax : autoSlotMax;
  for (
    let candidate: Slot | undefined = first;
    candidate !== undefined && candidate <= last;
    candidate = slotNumber(candidate + 1)
  ) {
    const name = containerName(prefix, hash, candidate);
    if (!names.has(name)) return { container: name, slot: candidate };
  }
  const which =
    first === 1 ? `all ${last} slots are in use` : `the slots from ${first} to ${last} are in use`;
  const more = last === slotMax ? '' : `; --slot ${autoSlotMax + 1} takes the first free one above`;
  throw new CoiError('slot-taken', `${which} for this workspace`, {
    hint: `Run \`coi list\` to see your sessions; \`coi kill NAME\` frees one${more}.`,
  });
}

/** The id range of an owner's workspace: stable, unless another workspace has taken it. */
export function idmapBaseOf(
  ownerUid: number,
  workspace: string,
  taken: ReadonlyMap<number, string>,
  ids: IdRange,
): number {
  const key = idsKey(ownerUid, workspace);
  // Incus gives the first range to containers that are not isolated.
  const choices = Math.min(idmapChoicesMax, Math.floor(ids.count / idsPerContainer) - 1);
  if (choices < 1)
    throw new CoiError('coid-failed', 'root has too few subordinate ids for isolated containers', {
      hint: 'Give root a range of at least 1000000 in /etc/subuid and /etc/subgid.',
    });
  const start = digest(key).readUInt32BE(0) % choices;
  for (let step = 0; step < choices; step += 1) {
    const base = ids.from + idsPerContainer * (1 + ((start + step) % choices));
    const holder = taken.get(base);
    if (holder === undefined || holder === key) return base;
  }
  throw new CoiError('coid-failed', 'no range of user ids is left for another container', {
    hint: 'Delete containers that are no longer needed.',
  });
}

function freeAddress(
  container: string,
  taken: ReadonlySet<string>,
  { name, free }: Bridge,
): string {
  const size = rangeSize(free);
  const start = size > 0 ? digest(container).readUInt32BE(0) % size : 0;
  for (let step = 0; step < size; step += 1) {
    const address = addressAt(free, (start + step) % size);
    if (address !== undefined && !taken.has(addressText(address))) return addressText(address);
  }
  throw new CoiError('coid-failed', `no address is left on the bridge ${name}`, {
    hint: 'Delete containers that are no longer needed, or give the bridge a larger network.',
  });
}

function firstFree(
  candidate: (salt: number) => string,
  taken: ReadonlySet<string>,
  what: string,
): string {
  for (let salt = 0; salt < triesMax; salt += 1) {
    const found = candidate(salt);
    if (!taken.has(found)) return found;
  }
  throw new CoiError('coid-failed', `no ${what} is left`);
}

function macAddress(bytes: Buffer): string {
  return `${macPrefix}:${[0, 1, 2].map((at) => (bytes[at] ?? 0).toString(16).padStart(2, '0')).join(':')}`;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
