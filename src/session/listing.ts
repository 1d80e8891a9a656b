// What `coi list` shows of a container, taken from its configuration alone. Pure.
import type { Devices, InstanceStatus } from '../incus/shapes.ts';
import { type Alert, alertKeyName, alertLine, alertNow, parseAlert } from '../monitor/alert.ts';
import { portsKey, portTexts, recordedPorts } from './ports.ts';
import type { Container } from './record.ts';

export interface ListedContainer {
  readonly name: string;
  readonly status: InstanceStatus;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly image: string;
  readonly persistent: boolean;
  /** The pinned address of its network device, while it is not stopped; no container is asked. */
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
}

export interface SavedRow {
  readonly id: string;
  readonly savedAt: Date | undefined;
  readonly workspace: string | undefined;
}

export interface SessionList {
  /** Only containers of that status are in the list. */
  readonly status: InstanceStatus | undefined;
  readonly containers: readonly ListedContainer[];
  /** undefined when they were not asked for. */
  readonly saved: readonly SavedRow[] | undefined;
}

export function listedContainer(
  { name, status, session, instance }: Container,
  ofAllUsers: boolean,
): ListedContainer {
  const alert = alertNow(parseAlert(instance.config[alertKeyName]), instance.status);
  return {
    name,
    status,
    createdAt: instance.created_at,
    image: instance.config['image.description'] ?? '',
    persistent: session?.persistent ?? false,
    ipv4: status === 'Stopped' ? undefined : address(instance.expanded_devices),
    pool: rootPool(instance.expanded_devices),
    alias: session?.alias,
    workspace: session?.workspace,
    owner: ofAllUsers ? session?.owner : undefined,
    ports: portTexts(recordedPorts(instance.config[portsKey])),
    alert,
    security: alert && alertLine(alert),
  };
}

function address(devices: Devices): string | undefined {
  const nics = Object.values(devices).filter((device) => device['type'] === 'nic');
  return nics.map((device) => device['ipv4.address']).find(Boolean);
}

/** The storage pool of the root disk; empty where nothing is said. */
export function rootPool(devices: Devices): string {
  const root = Object.values(devices).find(
    (device) => device['type'] === 'disk' && device['path'] === '/',
  );
  return root?.['pool'] ?? '';
}
