// Parses an upstream reply: follows the chain of aliases from the queried name and ignores other records. Pure.
import { decode, type Packet } from 'dns-packet';
import { parseAddress } from '../../addresses/ipv4.ts';
import { parseHostname } from '../hostname.ts';
import type { AddressRecord } from './reply.ts';

export type UpstreamAnswer =
  | {
      readonly kind: 'answered';
      /** Aliases and addresses in order, with canonical names. */
      readonly chain: readonly AddressRecord[];
      readonly addresses: readonly { readonly address: number; readonly ttl: number }[];
      /** The last alias, if the reply has no address for it. */
      readonly nextAlias: string | undefined;
    }
  | { readonly kind: 'missing' }
  | { readonly kind: 'truncated' }
  | { readonly kind: 'failed'; readonly rcode: string };

const chainMax = 16;
const addressesMax = 64;

/** True if the reply did not fit into a datagram. */
function isTruncated(bytes: Buffer): boolean {
  return bytes.length > 2 && (bytes.readUInt8(2) & 0x02) !== 0;
}

/** Parses a reply to a query for the address of `name`. Never throws. */
export function readAnswer(bytes: Buffer, name: string): UpstreamAnswer {
  const packet = tryDecode(bytes);
  if (!packet) return { kind: 'failed', rcode: 'unreadable' };
  if (isTruncated(bytes)) return { kind: 'truncated' };
  const rcode = bytes.readUInt8(3) & 0x0f;
  if (rcode === 3) return { kind: 'missing' };
  if (rcode !== 0)
    return { kind: 'failed', rcode: String((packet as { rcode?: string }).rcode ?? rcode) };
  return { kind: 'answered', ...followAliases(packet, name) };
}

function followAliases(
  packet: Packet,
  name: string,
): Omit<UpstreamAnswer & { kind: 'answered' }, 'kind'> {
  const records = (packet.answers ?? []).flatMap((record) => {
    const owner = parseHostname(record.name);
    return owner === undefined ? [] : [{ owner, record }];
  });
  const chain: AddressRecord[] = [];
  const seen = new Set([name]);
  let at = name;
  while (chain.length < chainMax) {
    const alias = records.find(
      ({ owner, record }) => owner === at && record.type === 'CNAME',
    )?.record;
    const target = alias?.type === 'CNAME' ? parseHostname(alias.data) : undefined;
    if (alias?.type !== 'CNAME' || target === undefined || seen.has(target)) break;
    chain.push({ name: at, type: 'CNAME', ttl: alias.ttl ?? 0, data: target });
    seen.add(target);
    at = target;
  }
  const addresses = records.flatMap(({ owner, record }) => {
    const address = owner === at && record.type === 'A' ? parseAddress(record.data) : undefined;
    return record.type === 'A' && address !== undefined
      ? [{ address, ttl: record.ttl ?? 0, data: record.data }]
      : [];
  });
  const kept = addresses.slice(0, addressesMax);
  return {
    chain: [
      ...chain,
      ...kept.map(({ ttl, data }): AddressRecord => ({ name: at, type: 'A', ttl, data })),
    ],
    addresses: kept.map(({ address, ttl }) => ({ address, ttl })),
    nextAlias: chain.length > 0 && kept.length === 0 ? at : undefined,
  };
}

function tryDecode(bytes: Buffer): Packet | undefined {
  try {
    return decode(bytes);
  } catch {
    // The decoder throws various errors for invalid packets.
    return undefined;
  }
}
