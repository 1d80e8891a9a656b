// Parses DNS queries of sessions, which are untrusted. Source: RFC 1035, RFC 6891. Pure.
import { decode, encode, type Packet } from 'dns-packet';
import { parseHostname } from '../hostname.ts';

export interface Question {
  readonly id: number;
  /** The name as queried, for the reply: clients check that it is unchanged. */
  readonly asked: string;
  /** The canonical form, for comparisons. */
  readonly name: string;
  readonly type: string;
  readonly recursionDesired: boolean;
  /** The largest UDP reply that the client accepts; undefined without EDNS. */
  readonly udpBytesMax: number | undefined;
}

export type ReadQuestion =
  | { readonly kind: 'question'; readonly question: Question }
  /** Answered with an error code. */
  | { readonly kind: 'malformed' | 'unsupported'; readonly id: number }
  | { readonly kind: 'noise' };

const headerBytes = 12;
const plainUdpBytes = 512;
const udpBytesMax = 1232;

/** Never throws, whatever the bytes are. */
export function readQuestion(bytes: Buffer): ReadQuestion {
  if (bytes.length < headerBytes) return { kind: 'noise' };
  const id = bytes.readUInt16BE(0);
  // Never answer a reply, or two servers could loop.
  if ((bytes.readUInt8(2) & 0x80) !== 0) return { kind: 'noise' };
  if ((bytes.readUInt8(2) & 0x78) !== 0) return { kind: 'unsupported', id };
  let packet: Packet;
  try {
    packet = decode(bytes);
  } catch {
    // The decoder throws various errors for invalid packets.
    return { kind: 'malformed', id };
  }
  const [asked, ...more] = packet.questions ?? [];
  if (!asked || more.length > 0) return { kind: 'malformed', id };
  const name = parseHostname(asked.name);
  if (name === undefined || asked.class !== 'IN') return { kind: 'malformed', id };
  const edns = packet.additionals?.find((record) => record.type === 'OPT') as
    | { udpPayloadSize?: number }
    | undefined;
  return {
    kind: 'question',
    question: {
      id,
      asked: asked.name,
      name,
      type: asked.type,
      recursionDesired: (bytes.readUInt8(2) & 1) !== 0,
      udpBytesMax: edns
        ? Math.min(udpBytesMax, Math.max(plainUdpBytes, edns.udpPayloadSize ?? 0))
        : undefined,
    },
  };
}

/** A query by coid in wire format; the sender sets the id. */
export function questionBytes(name: string, type: string): Buffer {
  return encode({
    id: 0,
    type: 'query',
    flags: 0x0100,
    questions: [{ name, type: type as 'A', class: 'IN' }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: udpBytesMax,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  });
}
