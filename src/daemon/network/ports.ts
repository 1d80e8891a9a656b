// Derives the ports to guard from instances' keys and from reservations. Pure.
import type { Reservation } from '../../coid-api/session-protocol.ts';
import type { Instance } from '../../incus/shapes.ts';
import { keys } from '../../instance-keys.ts';
import type { GuardedPort } from '../../network/guarded-port.ts';
import { defaultPolicy, networkPolicy, readPolicy } from '../../network/policy.ts';
import { sessionRecord } from '../../session/record/instance-record.ts';
import type { Lease } from '../reservations/leases.ts';

/** A session's port and its owner. */
export interface SessionPort {
  readonly container: string;
  /** Id of the session's mounts. */
  readonly id: string;
  readonly owner: number;
  readonly workspace: string;
  readonly port: GuardedPort;
}

/** Undefined for instances that are not sessions of this coid, or that lack the interface from coi. */
export function portOfInstance(
  instance: Instance,
  runDir: string,
  gateway: string,
): SessionPort | undefined {
  const record = sessionRecord(instance.config);
  if (!record || record.mounts.runDir !== runDir) return undefined;
  const nic = instance.expanded_devices['eth0'] ?? {};
  const { host_name: hostName, hwaddr: mac, 'ipv4.address': address } = nic;
  const bridge = nic['network'] ?? nic['parent'];
  if (!hostName || !mac || !address || !bridge || !/^[A-Za-z][A-Za-z0-9]{0,14}$/.test(hostName))
    return undefined;
  const policy = readPolicy(record.network, instance.config[keys.policy]);
  return {
    container: instance.name,
    id: record.mounts.id,
    owner: record.owner,
    workspace: record.workspace,
    port: {
      hostName,
      mac: mac.toLowerCase(),
      address,
      bridge,
      gateway: instance.config[keys.nameserver] || gateway,
      policy,
      permits: [],
    },
  };
}

export function portOfLease({ reservation, workspace, policy }: Lease): SessionPort {
  return portOfReservation(
    reservation,
    workspace,
    networkPolicy(policy ?? defaultPolicy('restricted')),
  );
}

export function portOfReservation(
  { container, id, ownerUid, nic }: Reservation,
  workspace: string,
  policy: GuardedPort['policy'],
): SessionPort {
  const { hostName, mac, address, bridge, gateway } = nic;
  return {
    container,
    id,
    owner: ownerUid,
    workspace,
    port: { hostName, mac, address, bridge, gateway, policy, permits: [] },
  };
}
