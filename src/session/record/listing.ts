// What `coi list` shows of a container, taken from its configuration alone. Pure.
import type { Devices, InstanceState, InstanceStatus } from '../../incus/shapes.ts';
import { keys } from '../../instance-keys.ts';
import { type Alert, alertLine, alertNow, parseAlert } from '../../monitor/alert.ts';
import { portTexts, recordedPorts } from '../plan/ports.ts';
import type { Owner } from './adopted.ts';
import { aliasOf, type Container, isKept, workspaceOf } from './instance-record.ts';

export interface ListedContainer {
  readonly name: string;
  readonly status: InstanceStatus;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly image: string;
  readonly persistent: boolean;
  /** The pinned address of its network device, while it is not stopped; only of what has none Incus is asked. */
  readonly ipv4: string | undefined;
  readonly pool: string;
  readonly alias: string | undefined;
  readonly workspace: string | undefined;
  /** uid, where the sessions of several users are shown. */
  readonly owner: number | undefined;
  /** Ports of the host that lead into it. */
  readonly ports?: readonly string[];
  /** The worst that its monitor found. */
  readonly alert?: Alert | undefined;
  /** The same in a few words. */
  readonly security?: string | undefined;
  /** Undefined in a container that only carries the prefix, as are the next. */
  readonly session?: ListedSession | undefined;
  /** What commands take for it: its alias where that means no other. */
  readonly called?: string;
  /** A terminal is on it; undefined where it was not asked, or Incus did not say. */
  readonly attached?: boolean | undefined;
  readonly lastAttached?: Date | undefined;
}

export interface ListedSession {
  readonly id: string;
  readonly slot: number;
  readonly tool: string;
  /** What it reaches: `restricted`, `allowlist` or `open`. */
  readonly mode: string;
  readonly profile: string | undefined;
}

export interface SavedRow {
  readonly id: string;
  readonly savedAt: Date | undefined;
  readonly workspace: string | undefined;
  readonly tool?: string;
  readonly slot?: number | undefined;
  readonly container?: string;
  readonly persistent?: boolean;
  readonly profile?: string | undefined;
  readonly lastAttached?: Date | undefined;
  /** The user's, of its last conversation. */
  readonly firstWords?: string | undefined;
}

export interface SessionList {
  /** Only containers of that status are in the list. */
  readonly status: InstanceStatus | undefined;
  readonly containers: readonly ListedContainer[];
  /** undefined when they were not asked for. */
  readonly saved: readonly SavedRow[] | undefined;
}

/** `addresses`: those that were asked for, by name; that of a session is pinned. */
export function listedContainer(
  container: Container,
  ofAllUsers: boolean,
  addresses: ReadonlyMap<string, string> = new Map(),
): ListedContainer {
  const { name, status, session, adopted, instance } = container;
  const alert = alertNow(parseAlert(instance.config[keys.alert]), instance.status);
  return {
    name,
    status,
    createdAt: instance.created_at,
    image: instance.config['image.description'] ?? '',
    persistent: isKept(container),
    ipv4: status === 'Stopped' ? undefined : (pinnedAddress(container) ?? addresses.get(name)),
    pool: rootPool(instance.expanded_devices),
    alias: aliasOf(container),
    workspace: workspaceOf(container),
    owner: ofAllUsers ? (session?.owner ?? numberOf(adopted?.owner)) : undefined,
    ports: portTexts(recordedPorts(instance.config[keys.ports])),
    alert,
    security: alert && alertLine(alert),
    session: session && {
      id: session.session,
      slot: session.slot,
      tool: session.tool,
      mode: session.network,
      profile: session.profile,
    },
  };
}

export function pinnedAddress({ instance }: Container): string | undefined {
  const nics = Object.values(instance.expanded_devices).filter(({ type }) => type === 'nic');
  return nics.map((device) => device['ipv4.address']).find(Boolean);
}

/** The address that a container has by Incus's look into it, on the device that faces the bridge. */
export function addressNow({ network }: Pick<InstanceState, 'network'>): string | undefined {
  const addresses = network?.['eth0']?.addresses ?? [];
  return addresses.find(({ family, scope }) => family === 'inet' && scope === 'global')?.address;
}

function numberOf(owner: Owner | undefined): number | undefined {
  return typeof owner === 'number' ? owner : undefined;
}

/** The storage pool of the root disk; empty where nothing is said. */
export function rootPool(devices: Devices): string {
  const root = Object.values(devices).find(
    (device) => device['type'] === 'disk' && device['path'] === '/',
  );
  return root?.['pool'] ?? '';
}
