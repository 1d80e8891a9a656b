// Facts about a container that is not a session of this coid: made by `coi container launch`, the Go program or by hand.
import { ownerOfPathAsync } from '../../host/fs/path-facts.ts';
import type { Peer } from '../../host/linux/peer-credentials.ts';
import type { Instance, InstanceState } from '../../incus/shapes.ts';
import { recordedOwner, workspaceSource } from '../../session/record/adopted-container.ts';
import { currentAddress } from '../../session/record/listing.ts';
import type { SampledContainer } from './sampler.ts';

/** Not a security boundary, as every peer may use Incus: it only keeps the sessions of users apart. */
export async function maySee(instance: Instance, { uid }: Peer): Promise<boolean> {
  if (uid === 0) return true;
  const workspace = workspaceSource(instance.devices);
  const owner =
    recordedOwner(instance.config) ??
    (workspace === undefined ? 'missing' : await ownerOfPathAsync(workspace));
  return owner === 'missing' || owner === uid;
}

/** The host uid of the container's root. Source: Incus, doc/userns-idmap.md. */
export function hostRootUid({ config }: Pick<Instance, 'config'>): number {
  try {
    const map: unknown = JSON.parse(config['volatile.idmap.current'] ?? '[]');
    const entries = Array.isArray(map) ? (map as Record<string, unknown>[]) : [];
    const root = entries.find((entry) => entry['Isuid'] === true && entry['Nsid'] === 0);
    return Number(root?.['Hostid']) || 0;
  } catch {
    return 0;
  }
}

/** Interface and address that Incus assigned dynamically. */
export function reportedNetwork(
  instance: Instance,
  state: Pick<InstanceState, 'network'>,
): Pick<SampledContainer, 'hostName' | 'address'> {
  return {
    hostName: instance.config['volatile.eth0.host_name'] ?? '',
    address: currentAddress(state) ?? '',
  };
}
