// The rules of one session: elements, and its own chain and sets if its policy is not the default. Pure.
import type { AddressRange } from '../addresses/ipv4.ts';
import { destinationRules, nameSets } from './destination-rules.ts';
import type { GuardedPort } from './guarded-port.ts';
import type { Chain, Element, SetDefinition } from './nft-json.ts';
import { defaultPolicy, needsResolver, networkPolicy } from './policy.ts';

export interface SessionRules {
  readonly sets: readonly SetDefinition[];
  readonly chains: readonly Chain[];
  readonly elements: readonly Element[];
}

/** The table, and the host's directly connected networks except the uplink. */
export interface HostNetworks {
  readonly table: string;
  readonly attached: readonly AddressRange[];
}

/** How long a connection of an allowlist session may be idle after the address of its name has expired. */
const flowSeconds = 7200;
const flowsMax = 4096;
const addressesMax = 4096;
/** The shared chain of all sessions with the plain `restricted` policy. */
export function sharedChain({ table, attached }: HostNetworks): Chain {
  return {
    family: 'inet',
    table,
    name: 'restricted',
    rules: destinationRules(
      { policy: networkPolicy(defaultPolicy('restricted')), permits: [] },
      attached,
    ),
  };
}

export function sessionRules(port: GuardedPort, { table, attached }: HostNetworks): SessionRules {
  const { hostName, bridge, mac, address, gateway, policy } = port;
  const inet = { family: 'inet' as const, table };
  const place = [bridge, address];
  const pinned: Element[] = [
    { family: 'bridge', table, set: 'macs', key: [hostName, mac] },
    { family: 'bridge', table, set: 'places', key: [hostName, mac, address] },
  ];
  if (policy.mode === 'open') {
    return {
      sets: [],
      chains: [],
      elements: [
        ...pinned,
        { family: 'bridge', table, set: 'ports', key: [hostName], jump: 'open_port' },
      ],
    };
  }
  const own = usesSharedChain(port) ? undefined : ownRules(port, inet, attached);
  return {
    sets: own?.sets ?? [],
    chains: own ? [own.chain] : [],
    elements: [
      ...pinned,
      { family: 'bridge', table, set: 'guarded', key: [hostName] },
      { family: 'bridge', table, set: 'ports', key: [hostName], jump: 'guarded_port' },
      { ...inet, set: 'bridges', key: [bridge] },
      { ...inet, set: 'gateways', key: [bridge, gateway] },
      { ...inet, set: 'destinations', key: place },
      { ...inet, set: 'sources', key: place, jump: own?.chain.name ?? 'restricted' },
      {
        ...inet,
        set: 'to_host',
        key: place,
        jump: needsResolver(policy) ? 'host_by_coid' : 'host_by_bridge',
      },
      ...(needsResolver(policy) ? [{ ...inet, set: 'asking_coid', key: place }] : []),
    ],
  };
}

/** True if the shared chain suffices. */
function usesSharedChain({ policy, permits }: Pick<GuardedPort, 'policy' | 'permits'>): boolean {
  return (
    policy.mode === 'restricted' &&
    permits.length === 0 &&
    policy.hosts.length === 0 &&
    policy.allowedPorts.length === 0 &&
    !policy.allowLocal &&
    policy.blockPrivate &&
    policy.blockMetadata
  );
}

function ownRules(
  port: GuardedPort,
  inet: { family: 'inet'; table: string },
  attached: readonly AddressRange[],
): { chain: Chain; sets: SetDefinition[] } {
  const { hostName, policy } = port;
  const names = [...nameSets(policy, hostName).values()];
  const sets: SetDefinition[] = names.map((one) => ({
    ...inet,
    name: one.set,
    type: 'ipv4_addr',
    flags: ['timeout'],
    size: addressesMax,
  }));
  const flows: SetDefinition = {
    ...inet,
    name: `${hostName}_flows`,
    type: ['ipv4_addr', 'inet_proto', 'inet_service'],
    flags: ['timeout'],
    timeoutSeconds: flowSeconds,
    size: flowsMax,
  };
  return {
    chain: { ...inet, name: hostName, rules: destinationRules(port, attached) },
    sets: policy.mode === 'allowlist' ? [...sets, flows] : [],
  };
}
