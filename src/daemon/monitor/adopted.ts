// What coid can say of a container that is no session of its own: made by `coi container launch`, by the Go program or by hand.
import { ownerOfPathLater } from '../../host/fs/path-facts.ts';
import type { Peer } from '../../host/linux/peer-credentials.ts';
import type { Instance, InstanceState } from '../../incus/shapes.ts';
import { keyedOwner, workspaceSource } from '../../session/record/adopted.ts';
import { addressNow } from '../../session/record/listing.ts';
import type { SampledContainer } from './sampler.ts';

/** Who asks coid may use Incus, so this keeps users apart that do not mean to look at each other's. */
export async function maySee(instance: Instance, { uid }: Peer): Promise<boolean> {
  if (uid === 0) return true;
  const workspace = workspaceSource(instance.devices);
  const owner =
    keyedOwner(instance.config) ??
    (workspace === undefined ? 'missing' : await ownerOfPathLater(workspace));
  return owner === 'missing' || owner === uid;
}

/** The host's uid of its root. Source: Incus, doc/userns-idmap.md. */
export function firstId({ config }: Pick<Instance, 'config'>): number {
  try {
    const map: unknown = JSON.parse(config['volatile.idmap.current'] ?? '[]');
    const entries = Array.isArray(map) ? (map as Record<string, unknown>[]) : [];
    const root = entries.find((entry) => entry['Isuid'] === true && entry['Nsid'] === 0);
    return Number(root?.['Hostid']) || 0;
  } catch {
    return 0;
  }
}

/** Its interface and address, which nobody has pinned. */
export function unpinned(
  instance: Instance,
  state: Pick<InstanceState, 'network'>,
): Pick<SampledContainer, 'hostName' | 'address'> {
  return {
    hostName: instance.config['volatile.eth0.host_name'] ?? '',
    address: addressNow(state) ?? '',
  };
}
