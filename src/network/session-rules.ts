// What is added to the ruleset for one session: elements, and a chain with sets of its own where its policy is not the usual one. Pure.
import type { AddressRange } from '../addresses/ipv4.ts';
import { destinationRules, nameSets } from './destination-rules.ts';
import type { GuardedPort } from './guarded-port.ts';
import type { Chain, Element, SetDefinition } from './nft-json.ts';
import { needsResolver, networkPolicy, plainPolicy } from './policy.ts';

export interface SessionRules {
  readonly sets: readonly SetDefinition[];
  readonly chains: readonly Chain[];
  readonly elements: readonly Element[];
}

/** The host's other networks: what is reachable without a router, apart from the way to the internet. */
export interface Surroundings {
  readonly table: string;
  readonly attached: readonly AddressRange[];
}

/** How long a connection of an allowlist session may be silent when its name's address has long changed. */
const flowSeconds = 7200;
const flowsMax = 4096;
const addressesMax = 4096;
/** The shared chain of all sessions whose policy is `restricted` and nothing else. */
export function usualChain({ table, attached }: Surroundings): Chain {
  return {
    family: 'inet',
    table,
    name: 'restricted',
    rules: destinationRules(
      { policy: networkPolicy(plainPolicy('restricted')), permits: [] },
      attached,
    ),
  };
}

export function sessionRules(port: GuardedPort, { table, attached }: Surroundings): SessionRules {
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
  const own = isUsual(port) ? undefined : ownRules(port, inet, attached);
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

/** True if the shared chain says all there is to say. */
function isUsual({ policy, permits }: Pick<GuardedPort, 'policy' | 'permits'>): boolean {
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
