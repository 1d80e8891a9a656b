// The DNS resolver for sessions: forwards allowed queries, opens the resulting addresses, then replies.
import { type AddressRange, addressText } from '../../addresses/ipv4.ts';
import { setsFor } from '../destination-rules.ts';
import type { ResolvedAddress } from '../guard.ts';
import type { GuardedPort } from '../guarded-port.ts';
import { type Question, readQuestion } from './question.ts';
import { type AddressRecord, errorBytes, forwardReply, type Reply, replyBytes } from './reply.ts';
import { TokenBucket } from './token-bucket.ts';
import { readAnswer, type UpstreamAnswer } from './upstream-answer.ts';
import { addressRefusal, dnsVerdict } from './verdict.ts';

export interface ResolverParts {
  /** The session with that address, if any. */
  readonly session: (address: string) => GuardedPort | undefined;
  /** Queries the servers, or the host's if none are given; undefined if none answers in time. */
  readonly ask: (
    servers: readonly string[],
    name: string,
    type: string,
  ) => Promise<Buffer | undefined>;
  /** Opens addresses to the session; resolves when they are open. */
  readonly open: (addresses: readonly ResolvedAddress[]) => Promise<void>;
  readonly attached: () => readonly AddressRange[];
  readonly onRefused: (session: GuardedPort, name: string, type: string, reason: string) => void;
  /** Called for each query within the rate limit. */
  readonly onQuery?: (session: GuardedPort, name: string) => void;
  /** Monotonic milliseconds. */
  readonly elapsedMs: () => number;
}

export interface Limits {
  readonly perSecond: number;
  readonly burst: number;
  /** Pending upstream queries of one session. */
  readonly waiting: number;
}

const usualLimits: Limits = { perSecond: 50, burst: 200, waiting: 64 };
/** Upstream queries for a chain of aliases. */
const hopsMax = 8;
/** An address stays open at least this long, and the grace period longer than its TTL: programs connect after the reply. */
const openSecondsMin = 60;
const graceSeconds = 60;
const ttlMax = 3600;

interface Asker {
  readonly bucket: TokenBucket;
  waiting: number;
}

export class Resolver {
  readonly #parts: ResolverParts;
  readonly #limits: Limits;
  readonly #askers = new Map<string, Asker>();

  constructor(parts: ResolverParts, limits: Limits = usualLimits) {
    this.#parts = parts;
    this.#limits = limits;
  }

  /** The reply to a message from that address; undefined above the rate limit and for an unknown sender. Never rejects. */
  async answer(bytes: Buffer, from: string, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> {
    const session = this.#parts.session(from);
    if (!session) return undefined;
    const asker = this.#asker(session.hostName);
    if (!asker.bucket.take(this.#parts.elapsedMs())) return undefined;
    const read = readQuestion(bytes);
    switch (read.kind) {
      case 'noise':
        return undefined;
      case 'malformed':
        return errorBytes(read.id, 1);
      case 'unsupported':
        return errorBytes(read.id, 4);
      case 'question':
        this.#parts.onQuery?.(session, read.question.name);
        return this.#answer(
          read.question,
          session,
          asker,
          transport === 'udp' ? (read.question.udpBytesMax ?? 512) : undefined,
        );
    }
  }

  /** Drops the counters of a session that has ended. */
  forget(hostName: string): void {
    this.#askers.delete(hostName);
  }

  async #answer(
    question: Question,
    session: GuardedPort,
    asker: Asker,
    bytesMax: number | undefined,
  ): Promise<Buffer | undefined> {
    const verdict = dnsVerdict(question, session.policy);
    const reply = (content: Reply) => replyBytes(question, content, bytesMax);
    switch (verdict.kind) {
      case 'fixed':
        return reply({
          kind: 'records',
          records: verdict.addresses.map((data) => ({
            name: question.asked,
            type: 'A',
            ttl: 60,
            data,
          })),
        });
      case 'empty':
        return reply({ kind: 'empty' });
      case 'refused':
        this.#parts.onRefused(session, question.name, question.type, verdict.reason);
        return reply({ kind: 'refused', reason: verdict.reason });
      case 'pass':
      case 'resolve':
        break;
    }
    if (asker.waiting >= this.#limits.waiting) return undefined;
    asker.waiting += 1;
    try {
      if (verdict.kind === 'resolve') return reply(await this.#resolve(question, session));
      const answer = await this.#ask(session, question.name, question.type);
      if (!answer) return reply(unreachable);
      const bytes = forwardReply(question, answer);
      return bytesMax !== undefined && bytes.length > bytesMax ? truncated(bytes) : bytes;
    } catch (error) {
      return reply({
        kind: 'failed',
        reason: `coi: ${error instanceof Error ? error.message : 'internal error in coid'}`,
      });
    } finally {
      asker.waiting -= 1;
    }
  }

  async #resolve(question: Question, session: GuardedPort): Promise<Reply> {
    const chain: AddressRecord[] = [];
    const found: { address: number; ttl: number }[] = [];
    let name: string | undefined = question.name;
    for (let hop = 0; name !== undefined && hop < hopsMax; hop += 1) {
      const bytes = await this.#ask(session, name, 'A');
      if (!bytes) return unreachable;
      const answer: UpstreamAnswer = readAnswer(bytes, name);
      if (answer.kind === 'missing') return { kind: 'missing' };
      if (answer.kind !== 'answered')
        return {
          kind: 'failed',
          reason: `coi: the host's name server failed (${answer.kind === 'failed' ? answer.rcode : 'truncated reply'}).`,
        };
      chain.push(...answer.chain);
      found.push(...answer.addresses);
      name = answer.nextAlias;
    }
    return this.#openAddresses(question, session, chain, found);
  }

  /** Opens the allowed addresses before it replies with them, so that the session can connect at once. */
  async #openAddresses(
    question: Question,
    session: GuardedPort,
    chain: readonly AddressRecord[],
    found: readonly { address: number; ttl: number }[],
  ): Promise<Reply> {
    const attached = this.#parts.attached();
    const closed = new Map(
      found.flatMap(({ address }) => {
        const why = addressRefusal(address, session.policy, attached);
        return why === undefined ? [] : [[addressText(address), why] as const];
      }),
    );
    const usable = found.filter(({ address }) => !closed.has(addressText(address)));
    if (found.length === 0) return { kind: 'empty' };
    if (usable.length === 0) {
      const [[address = '', about = ''] = []] = closed;
      const reason = `coi: ${question.name} resolves to ${address} (${about}), which this session may not reach.`;
      this.#parts.onRefused(session, question.name, question.type, reason);
      return { kind: 'refused', reason };
    }
    const ttl = Math.min(ttlMax, ...chain.map((record) => record.ttl));
    const seconds = Math.max(openSecondsMin, ttl) + graceSeconds;
    const sets = setsFor(question.name, session.policy, session.hostName);
    await this.#parts.open(
      usable.flatMap(({ address }) => sets.map((set) => ({ set, address, seconds }))),
    );
    const records = chain
      .filter(({ type, data }) => type !== 'A' || !closed.has(data))
      .map((record) => ({ ...record, ttl }));
    // The first name is returned as written in the query.
    return {
      kind: 'records',
      records: records.map((record) =>
        record.name === question.name ? { ...record, name: question.asked } : record,
      ),
    };
  }

  #ask(session: GuardedPort, name: string, type: string): Promise<Buffer | undefined> {
    return this.#parts.ask(session.policy.dnsServers.map(addressText), name, type);
  }

  #asker(hostName: string): Asker {
    const known = this.#askers.get(hostName);
    if (known) return known;
    const asker = {
      bucket: new TokenBucket(this.#limits.perSecond, this.#limits.burst, this.#parts.elapsedMs()),
      waiting: 0,
    };
    this.#askers.set(hostName, asker);
    return asker;
  }
}

const unreachable: Reply = {
  kind: 'failed',
  reason: "coi: the host's name servers do not answer.",
};

/** Only the header, with the flag that makes the client retry over TCP. */
function truncated(bytes: Buffer): Buffer {
  const header = Buffer.from(bytes.subarray(0, 12));
  header.writeUInt8(header.readUInt8(2) | 0x02, 2);
  header.fill(0, 4, 12);
  return header;
}
