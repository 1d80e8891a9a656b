// Reports on a session's network, and grants temporary permits to its owner.
import { networkText } from '../../addresses/ipv4.ts';
import { findRange, metadataRanges, unroutableRanges } from '../../addresses/ranges.ts';
import type { NetworkReport, PermitReply } from '../../coid-api/network-protocol.ts';
import { CoiError } from '../../errors.ts';
import type { Peer } from '../../host/linux/peer-credentials.ts';
import { quoted } from '../../names.ts';
import { entryText, parseEntry } from '../../network/entry.ts';
import { policyToRecord } from '../../network/policy.ts';
import type { Log } from '../log.ts';
import type { IncusCache } from '../reconcile/incus-cache.ts';
import type { NetworkGuards } from './network-guards.ts';
import type { SessionPort } from './ports.ts';

export interface NetworkServiceParts {
  readonly guards: NetworkGuards;
  readonly incusCache: IncusCache;
  readonly log: Log;
  readonly now: () => Date;
}

const permitMaxMs = 7 * 24 * 3_600_000;

export class NetworkService {
  readonly #parts: NetworkServiceParts;

  constructor(parts: NetworkServiceParts) {
    this.#parts = parts;
  }

  async report(container: string, peer: Peer): Promise<NetworkReport> {
    const { guards, incusCache } = this.#parts;
    const session = this.#session(container, peer);
    const { hostName, address, bridge, gateway, policy } = session.port;
    const [denials, { prefixLength }] = await Promise.all([guards.denials(), incusCache.bridge()]);
    return {
      container,
      interface: hostName,
      address,
      bridge: { name: bridge, gateway, prefixLength },
      policy: policyToRecord(policy),
      permits: guards.permits.of(hostName),
      attached: guards.attached().map(networkText),
      inForce: guards.activeRules(hostName) !== undefined,
      denials: denials
        .filter(({ source }) => source === address)
        .map(({ source: _, ...denial }) => denial),
      names: guards.dns.refusedNames(hostName),
    };
  }

  /** Permits an entry to a session of that user. Throws `config-invalid`, `usage`. */
  async permit(container: string, peer: Peer, body: unknown): Promise<PermitReply> {
    const { guards, log, now } = this.#parts;
    const session = this.#session(container, peer);
    const { id, entry: text, forMs } = (body ?? {}) as Partial<Record<string, unknown>>;
    if (
      typeof id !== 'string' ||
      typeof text !== 'string' ||
      typeof forMs !== 'number' ||
      !(forMs > 0 && forMs <= permitMaxMs)
    )
      throw new CoiError(
        'usage',
        'invalid permit: it needs an entry and a duration of at most a week',
      );
    if (id !== session.id) throw noGuardedSession(container);
    const entry = parseEntry(text);
    const { mode } = session.port.policy;
    if (mode === 'open')
      throw new CoiError(
        'usage',
        `the network of ${container} is open: everything is already allowed`,
      );
    if (mode === 'restricted' && entry.kind !== 'network')
      throw new CoiError(
        'usage',
        `the network of ${container} is restricted: names on the internet are already reachable`,
        { hint: 'For a host in a private network, give its address.' },
      );
    if (
      entry.kind === 'network' &&
      [unroutableRanges, metadataRanges].some(
        (ranges) =>
          findRange(entry.range.from, ranges) ??
          findRange(entry.range.to, ranges) ??
          ranges.some(({ range }) => entry.range.from <= range.from && range.to <= entry.range.to),
      )
    ) {
      throw new CoiError(
        'usage',
        `${quoted(text)} contains metadata services or unroutable addresses, which cannot be permitted`,
      );
    }
    const until = new Date(now().getTime() + forMs);
    await guards.permit(session, entryText(entry), until);
    log('info', 'permitted', {
      container,
      uid: peer.uid,
      entry: entryText(entry),
      until: until.toISOString(),
    });
    return { entry: entryText(entry), until: until.toISOString() };
  }

  #session(container: string, peer: Peer): SessionPort {
    const session = this.#parts.guards.sessions().find((one) => one.container === container);
    if (session && (peer.uid === 0 || peer.uid === session.owner)) return session;
    throw noGuardedSession(container);
  }
}

function noGuardedSession(container: string): CoiError {
  return new CoiError(
    'session-not-found',
    `this user has no guarded session ${quoted(container)}`,
    { hint: 'Run `coi list` to see your sessions.' },
  );
}
