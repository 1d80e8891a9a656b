// The rows of `coi list`, from the configuration of containers alone. Pure.
import type { Activity } from '../../attention/activity.ts';
import type { Devices, InstanceState, InstanceStatus } from '../../incus/shapes.ts';
import { keys } from '../../instance-keys.ts';
import { type Alert, alertLine, alertNow, parseAlert } from '../../monitor/alert.ts';
import { portTexts, recordedPorts } from '../plan/ports.ts';
import type { Owner } from './adopted-container.ts';
import { aliasOf, type Container, isPersistent, workspaceOf } from './instance-record.ts';

export interface ListedContainer {
  readonly name: string;
  readonly status: InstanceStatus;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly image: string;
  readonly persistent: boolean;
  /** The pinned address of its network device, unless it is stopped; Incus is only asked if there is none. */
  readonly ipv4: string | undefined;
  readonly pool: string;
  readonly alias: string | undefined;
  readonly workspace: string | undefined;
  /** uid, if sessions of several users are shown. */
  readonly owner: number | undefined;
  /** Host ports that are forwarded to it. */
  readonly ports?: readonly string[];
  /** The most severe alert of its monitor. */
  readonly alert?: Alert | undefined;
  /** The alert in a few words. */
  readonly security?: string | undefined;
  /** Undefined for a container that only has the prefix. */
  readonly session?: ListedSession | undefined;
  /** Its name in commands: the alias, if that is unambiguous. */
  readonly called?: string;
  /** Whether a terminal is attached; undefined if not requested, or if Incus did not answer. */
  readonly attached?: boolean | undefined;
  readonly lastAttached?: Date | undefined;
  /** Undefined if not requested, or if its workspace is a directory of the user. */
  readonly tree?: ListedOwnTree | undefined;
  /** What its agent does; undefined if not requested, or if it has none. */
  readonly activity?: Activity | undefined;
  /** Its agent has ended a turn, and the user has not looked at it since; undefined if not requested. */
  readonly unseen?: boolean | undefined;
}

/** The tree of its own that a session works in. */
export interface ListedOwnTree {
  readonly name: string;
  readonly branch: string;
  readonly repository: string;
  /** Of its last capture; undefined before the first. */
  readonly changes:
    | { readonly files: number; readonly added: number; readonly removed: number }
    | undefined;
}

export interface ListedSession {
  readonly id: string;
  readonly slot: number;
  readonly tool: string;
  /** Network mode: `restricted`, `allowlist` or `open`. */
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
  /** The user's first words in its last conversation. */
  readonly firstWords?: string | undefined;
}

export interface SessionList {
  /** The list contains only containers with that status. */
  readonly status: InstanceStatus | undefined;
  readonly containers: readonly ListedContainer[];
  /** Undefined if not requested. */
  readonly saved: readonly SavedRow[] | undefined;
}

/** `addresses`: addresses from Incus, by name, for containers without a pinned one. */
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
    persistent: isPersistent(container),
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

/** The container's IPv4 address on its bridged device, according to Incus. */
export function currentAddress({ network }: Pick<InstanceState, 'network'>): string | undefined {
  const addresses = network?.['eth0']?.addresses ?? [];
  return addresses.find(({ family, scope }) => family === 'inet' && scope === 'global')?.address;
}

function numberOf(owner: Owner | undefined): number | undefined {
  return typeof owner === 'number' ? owner : undefined;
}

/** The storage pool of the root disk; empty if unknown. */
export function rootPool(devices: Devices): string {
  const root = Object.values(devices).find(
    (device) => device['type'] === 'disk' && device['path'] === '/',
  );
  return root?.['pool'] ?? '';
}
