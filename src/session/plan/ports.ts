// `[ports]`: which ports of the host lead into a session, in the predecessor's numbers. Pure.
import { CoiError } from '../../errors.ts';
import type { Config, Device, Devices } from '../../incus/shapes.ts';
import { keys } from '../../instance-keys.ts';
import { ownSlotMax } from '../../names.ts';

export interface PortWish {
  readonly pool: number;
  readonly map: readonly {
    readonly name: string;
    readonly container: number;
    /** 0: one of the session's own range. */
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
  /** By `coi ports add`; the others are of the configuration at the session's start. */
  readonly added?: true;
}

const portsPerSlot = 10;
const deviceMax = 63;

/** Of slots above 10: their ports are no other workspace's ports of a slot that is given out by itself. */
const above = { first: 60_000, ranges: 553 };

/** Ten ports for each slot: 20000 + (hash % 400) · 100 + (slot − 1) · 10, and from 60000 on for slots above 10. */
export function portRange(hash: string, slot: number): number[] {
  const number = Number.parseInt(hash, 16);
  const first =
    slot <= ownSlotMax
      ? 20_000 + (number % 400) * 100 + (slot - 1) * portsPerSlot
      : above.first + ((number + slot) % above.ranges) * portsPerSlot;
  return Array.from({ length: portsPerSlot }, (_, index) => first + index);
}

/** Hands ports out. `isFree` tells of one address and port. Throws `failed` for a pinned one that is taken, or when all are. */
export function forwardings(
  { pool, map }: PortWish,
  hash: string,
  slot: number,
  isFree: (listen: string, port: number) => boolean,
): Forwarding[] {
  const range = portRange(hash, slot);
  const next = (listen: string): number => {
    for (let port = range.shift(); port !== undefined; port = range.shift())
      if (isFree(listen, port)) return port;
    throw new CoiError('failed', `no port of this session's range is free`, {
      hint: 'Pin ports of your own: [[ports.map]] host.',
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

/** The name of the device that forwards it. */
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

/** Those that the key names; the key is the user's own to write, so anything may be in it. */
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

/** What takes ports away from a container: devices that have to go, and the key without them; nothing to do for none. */
export function withoutPorts(
  left: readonly Forwarding[],
  lost: readonly Forwarding[],
): { readonly gone: readonly string[]; readonly config: Config } {
  if (lost.length === 0) return { gone: [], config: {} };
  return { gone: lost.map(portDevice), config: { [keys.ports]: JSON.stringify(left) } };
}

/** COI_PORTS has the pool, COI_PORT_<NAME> the port of the host for each that has a name. */
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

/** As `coi list` shows them: `23410`, `web:23412->3000`, `8080->3000`, another address than the loopback before it. */
export function portTexts(ports: readonly Forwarding[]): string[] {
  return ports.map(({ name, listen, host, container }) => {
    const at = listen === '127.0.0.1' ? `${host}` : `${listen}:${host}`;
    if (name !== undefined) return `${name}:${at}->${container}`;
    return host === container ? at : `${at}->${container}`;
  });
}
