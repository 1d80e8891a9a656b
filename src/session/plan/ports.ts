// `[ports]`: host ports that are forwarded into a session, with the numbers of the predecessor. Pure.
import { CoiError } from '../../errors.ts';
import type { Config, Device, Devices } from '../../incus/shapes.ts';
import { keys } from '../../instance-keys.ts';
import { autoSlotMax } from '../../names.ts';

export interface PortSpec {
  readonly pool: number;
  readonly map: readonly {
    readonly name: string;
    readonly container: number;
    /** 0: a port from the session's range. */
    readonly host: number;
    readonly listen: string;
  }[];
}

export interface Forwarding {
  /** Undefined for a port of the pool. */
  readonly name: string | undefined;
  readonly listen: string;
  readonly host: number;
  readonly container: number;
  /** Added with `coi ports add`; the others come from the configuration at the session's start. */
  readonly added?: true;
}

const portsPerSlot = 10;
const deviceMax = 63;

/** For slots above 10: these ports never collide with those of automatically assigned slots in other workspaces. */
const highSlots = { first: 60_000, ranges: 553 };

/** Ten ports per slot: 20000 + (hash % 400) · 100 + (slot − 1) · 10, and from 60000 on for slots above 10. */
export function portRange(hash: string, slot: number): number[] {
  const number = Number.parseInt(hash, 16);
  const first =
    slot <= autoSlotMax
      ? 20_000 + (number % 400) * 100 + (slot - 1) * portsPerSlot
      : highSlots.first + ((number + slot) % highSlots.ranges) * portsPerSlot;
  return Array.from({ length: portsPerSlot }, (_, index) => first + index);
}

/** Assigns ports. `isFree` checks one address and port. Throws `failed` if a pinned port or the whole range is in use. */
export function assignPorts(
  { pool, map }: PortSpec,
  hash: string,
  slot: number,
  isFree: (listen: string, port: number) => boolean,
): Forwarding[] {
  const range = portRange(hash, slot);
  const next = (listen: string): number => {
    for (let port = range.shift(); port !== undefined; port = range.shift())
      if (isFree(listen, port)) return port;
    throw new CoiError('failed', `all ports in this session's range are in use`, {
      hint: 'Choose host ports with [[ports.map]] host.',
    });
  };
  const pinned = map.filter(({ host }) => host > 0);
  const taken = pinned.find(({ listen, host }) => !isFree(listen, host));
  if (taken)
    throw new CoiError('failed', `port ${taken.host} for "${taken.name}" is in use on this host`, {
      hint: 'Choose another [[ports.map]] host, or 0 for any.',
    });
  const own = Array.from({ length: pool }, () => next('127.0.0.1'));
  return [
    ...own.map((port) => ({ name: undefined, listen: '127.0.0.1', host: port, container: port })),
    ...map.map(({ name, container, host, listen }) => ({
      name,
      listen,
      host: host > 0 ? host : next(listen),
      container,
    })),
  ];
}

/** The name of the proxy device. */
export function portDevice({ name, host }: Pick<Forwarding, 'name' | 'host'>): string {
  return `coi-port-${name ?? host}`.replaceAll(/[^A-Za-z0-9_-]/g, '-').slice(0, deviceMax);
}

export function portDevices(ports: readonly Forwarding[]): Devices {
  return Object.fromEntries(
    ports.map((port): [string, Device] => {
      const { listen, host, container } = port;
      const device = {
        type: 'proxy',
        bind: 'host',
        listen: `tcp:${listen.includes(':') ? `[${listen}]` : listen}:${host}`,
        connect: `tcp:127.0.0.1:${container}`,
      };
      return [portDevice(port), device];
    }),
  );
}

/** Parses the recorded ports; the user can edit the key, so it may contain anything. */
export function recordedPorts(text: string | undefined): Forwarding[] {
  let value: unknown;
  try {
    value = JSON.parse(text || '[]');
  } catch {
    return [];
  }
  return Array.isArray(value) ? value.filter(isForwarding) : [];
}

function isForwarding(value: unknown): value is Forwarding {
  const { name, listen, host, container } = (value ?? {}) as Record<string, unknown>;
  return (
    (name === undefined || typeof name === 'string') &&
    typeof listen === 'string' &&
    Number.isInteger(host) &&
    Number.isInteger(container)
  );
}

/** The change that removes ports from a container: devices to remove, and the key without them. */
export function removePorts(
  left: readonly Forwarding[],
  lost: readonly Forwarding[],
): { readonly gone: readonly string[]; readonly config: Config } {
  if (lost.length === 0) return { gone: [], config: {} };
  return { gone: lost.map(portDevice), config: { [keys.ports]: JSON.stringify(left) } };
}

/** COI_PORTS contains the pool, COI_PORT_<NAME> the host port of each named one. */
export function portVariables(ports: readonly Forwarding[]): Record<string, string> {
  const named = ports.flatMap(({ name, host }) =>
    name === undefined
      ? []
      : [[`COI_PORT_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`, String(host)]],
  );
  const pool = ports.flatMap(({ name, host, added }) =>
    name === undefined && !added ? [host] : [],
  );
  return {
    ...(pool.length > 0 ? { COI_PORTS: pool.join(',') } : {}),
    ...Object.fromEntries(named),
  };
}

/** As in `coi list`: `23410`, `web:23412->3000`, `8080->3000`, with the address if it is not the loopback. */
export function portTexts(ports: readonly Forwarding[]): string[] {
  return ports.map(({ name, listen, host, container }) => {
    const at = listen === '127.0.0.1' ? `${host}` : `${listen}:${host}`;
    if (name !== undefined) return `${name}:${at}->${container}`;
    return host === container ? at : `${at}->${container}`;
  });
}
