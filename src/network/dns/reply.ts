// Builds DNS replies for sessions. A refusal includes the reason as an extended error (RFC 8914) and as text. Pure.
import { encode, type Packet } from 'dns-packet';
import type { Question } from './question.ts';

export interface AddressRecord {
  readonly name: string;
  readonly type: 'A' | 'CNAME';
  readonly ttl: number;
  readonly data: string;
}

export type Reply =
  | { readonly kind: 'records'; readonly records: readonly AddressRecord[] }
  | { readonly kind: 'empty' }
  | { readonly kind: 'missing' }
  /** The policy of the session does not allow the name. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

const rcodes = { records: 0, empty: 0, failed: 2, missing: 3, refused: 3 } as const;
/** RFC 8914: 15 is "Blocked", 22 "No Reachable Authority". */
const extendedErrors = { refused: 15, failed: 22 } as const;
const responseFlags = 0x8080;
const truncatedFlag = 0x0200;
const optionBytes = 1232;
const textBytesMax = 255;

/** The bytes of a reply; `bytesMax` is the datagram limit (omit it for TCP). */
export function replyBytes(question: Question, reply: Reply, bytesMax?: number): Buffer {
  const whole = encode(packetOf(question, reply));
  if (bytesMax === undefined || whole.length <= bytesMax) return whole;
  const { flags = 0, answers: _, additionals: __, ...rest } = packetOf(question, reply);
  return encode({ ...rest, flags: flags | truncatedFlag, answers: [], additionals: [] });
}

/** An error reply without a question, for queries that could not be parsed. 1 is "format error", 4 "not implemented". */
export function errorBytes(id: number, rcode: 1 | 4): Buffer {
  return encode({ id, type: 'response', flags: responseFlags | rcode });
}

/** The reply of another server, unchanged except for the id. */
export function forwardReply(question: Question, upstream: Buffer): Buffer {
  const bytes = Buffer.from(upstream);
  bytes.writeUInt16BE(question.id, 0);
  return bytes;
}

function packetOf(question: Question, reply: Reply): Packet {
  const flags = responseFlags | (question.recursionDesired ? 0x0100 : 0) | rcodes[reply.kind];
  const reason =
    reply.kind === 'refused' || reply.kind === 'failed'
      ? reply.reason.slice(0, textBytesMax)
      : undefined;
  const records = [
    ...(reply.kind === 'records'
      ? reply.records.map((record) => ({ ...record, class: 'IN' as const }))
      : []),
    // A TXT query for a refused name gets the reason as its answer.
    ...(reason !== undefined && question.type === 'TXT' ? [explanation(question, reason)] : []),
  ];
  return {
    id: question.id,
    type: 'response',
    flags:
      reason !== undefined && question.type === 'TXT' && reply.kind === 'refused'
        ? flags & ~0xf
        : flags,
    questions: [{ name: question.asked, type: question.type as 'A', class: 'IN' }],
    answers: records,
    additionals: [
      ...(reason !== undefined && question.type !== 'TXT' ? [explanation(question, reason)] : []),
      ...(question.udpBytesMax === undefined ? [] : [extended(reply.kind, reason)]),
    ],
  };
}

function explanation({ asked }: Question, text: string) {
  return { name: asked, type: 'TXT' as const, class: 'IN' as const, ttl: 0, data: text };
}

function extended(kind: Reply['kind'], reason: string | undefined) {
  const code = kind === 'refused' || kind === 'failed' ? extendedErrors[kind] : undefined;
  const info = Buffer.alloc(2);
  if (code !== undefined) info.writeUInt16BE(code);
  const options =
    code === undefined
      ? []
      : [{ code: 15, data: Buffer.concat([info, Buffer.from(reason ?? '')]) }];
  // The library's type lacks this option.
  return {
    type: 'OPT' as const,
    name: '.',
    udpPayloadSize: optionBytes,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options,
  } as unknown as NonNullable<Packet['additionals']>[number];
}
