// Explains a session's network: the decision about a destination, and refusals with their rules. Pure.
import { type AddressRange, parseAddress, parseNetwork } from '../addresses/ipv4.ts';
import type { NetworkReport } from '../coid-api/network-protocol.ts';
import {
  type Decision,
  type Destination,
  decideAddress,
  decideName,
  type Reach,
} from './decide.ts';
import { parseEntry } from './entry.ts';
import { networkPolicy } from './policy.ts';

/** Converts coid's report to the input of decide.ts. */
export function reachOf({
  policy,
  permits,
  attached,
  bridge,
}: Pick<NetworkReport, 'policy' | 'permits' | 'attached'> & {
  readonly bridge: NetworkReport['bridge'] | undefined;
}): Reach {
  const parsed = networkPolicy(policy);
  const entries = permits.map(({ entry }) => parseEntry(entry));
  return {
    policy: {
      ...parsed,
      allow: [...parsed.allow, ...entries.filter(({ kind }) => kind !== 'network')],
    },
    permits: entries.flatMap((entry) =>
      entry.kind === 'network' ? [{ range: entry.range, ports: entry.ports }] : [],
    ),
    attached: attached.flatMap((text): readonly AddressRange[] => {
      const range = parseNetwork(text);
      return range ? [range] : [];
    }),
    bridge: bridge && parseNetwork(`${bridge.gateway}/${bridge.prefixLength}`),
  };
}

export interface Judgement extends Decision {
  readonly destination: string;
}

/** Decides about a name and, if it matters, its addresses. `addresses` are what the host resolves it to. */
export function judge(
  { host, port }: Destination,
  addresses: readonly string[],
  reach: Reach,
): Judgement[] {
  const shown = (text: string) => (port === undefined ? text : `${text}:${port}`);
  const named = parseAddress(host) === undefined ? decideName({ host, port }, reach) : undefined;
  if (named?.verdict === 'refused' || (named && addresses.length === 0))
    return [{ destination: shown(host), ...named }];
  return addresses.map((address) => {
    const decision = decideAddress({ host: address, port }, reach);
    // An address of an allowed name is closed until the name is queried.
    const byName = named && decision.rule === 'allowed_domains' ? named : decision;
    return {
      destination: address === host ? shown(address) : `${shown(host)} (${address})`,
      ...byName,
    };
  });
}

export interface Refusal {
  /** ISO 8601. */
  readonly at: string;
  readonly kind: 'address' | 'name';
  readonly destination: string;
  readonly rule: string;
  readonly about: string;
  readonly permit: string | undefined;
}

/** Recent refusals, oldest first. */
export function refusals(report: NetworkReport, now: Date): Refusal[] {
  const reach = reachOf(report);
  const addresses = report.denials.map(({ address, protocol, port, secondsAgo }): Refusal => {
    const { rule, about, permit } = explainRefusal(decideAddress({ host: address, port }, reach));
    return {
      at: new Date(now.getTime() - secondsAgo * 1000).toISOString(),
      kind: 'address',
      destination: `${protocol} ${address}${port === undefined ? '' : `:${port}`}`,
      rule,
      about,
      permit,
    };
  });
  const names = report.names.map(({ name, type, at, reason }): Refusal => {
    const decision = decideName({ host: name, port: undefined }, reach);
    const refused =
      decision?.verdict === 'refused'
        ? decision
        : { rule: 'addresses', about: reason, permit: undefined };
    return {
      at,
      kind: 'name',
      destination: `${name} ${type}`,
      rule: refused.rule,
      about: refused.about,
      permit: refused.permit,
    };
  });
  return [...addresses, ...names].sort((a, b) => (a.at < b.at ? -1 : 1));
}

/** Marks a refusal that the current rules would allow: they have changed, or only that port was closed. */
function explainRefusal(decision: Decision): Decision {
  return decision.verdict === 'refused'
    ? decision
    : { ...decision, about: `it is allowed now: ${decision.about}` };
}
