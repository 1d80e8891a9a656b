// coid's DNS server on the bridge address: connects sockets and resolver.
import type { AddressRange } from '../../addresses/ipv4.ts';
import { CoiError } from '../../errors.ts';
import { queryDns, systemServers } from '../../host/net/dns-client.ts';
import { type DnsServer, serveDns } from '../../host/net/dns-server.ts';
import { carriesData } from '../../monitor/detectors/guard.ts';
import { QueryCounts } from '../../network/dns/counts.ts';
import { questionBytes } from '../../network/dns/question.ts';
import { Resolver } from '../../network/dns/resolver.ts';
import type { Guard } from '../../network/guard.ts';
import type { Log } from '../log.ts';

export interface DnsServiceParts {
  readonly guard: Guard;
  readonly port: number;
  readonly attached: () => readonly AddressRange[];
  readonly log: Log;
  readonly now: () => Date;
  readonly elapsedMs: () => number;
  readonly signal: AbortSignal;
}

/** A name that was refused to a session, with the count and time of the last refusal. */
export interface RefusedName {
  readonly name: string;
  readonly type: string;
  readonly reason: string;
  readonly count: number;
  readonly at: string;
}

const namesMax = 200;

export class DnsService {
  readonly #parts: DnsServiceParts;
  readonly #resolver: Resolver;
  readonly #counts = new QueryCounts(carriesData);
  /** Servers by address. */
  readonly #servers = new Map<string, Promise<DnsServer>>();
  /** Refused names by the session's interface, then by name and type. */
  readonly #refused = new Map<string, Map<string, RefusedName>>();

  constructor(parts: DnsServiceParts) {
    this.#parts = parts;
    const own = systemServers();
    this.#resolver = new Resolver({
      session: (address) => parts.guard.all().find((port) => port.address === address),
      ask: (servers, name, type) =>
        queryDns({
          servers: servers.length > 0 ? servers : own(),
          message: questionBytes(name, type),
          signal: parts.signal,
        }),
      open: (addresses) => parts.guard.open(addresses),
      attached: parts.attached,
      onRefused: ({ hostName }, name, type, reason) => this.#note(hostName, name, type, reason),
      onQuery: ({ hostName }, name) => this.#counts.note(hostName, name, parts.elapsedMs()),
      elapsedMs: parts.elapsedMs,
    });
    parts.signal.addEventListener('abort', () => {
      for (const server of this.#servers.values()) void server.then((one) => one.close());
    });
  }

  /** Starts to answer on that address. Throws `network-unprotected`. */
  async listen(address: string): Promise<void> {
    const { port, log } = this.#parts;
    const known = this.#servers.get(address);
    if (known) return void (await known);
    const starting = serveDns({
      address,
      port,
      answer: (message, from, transport) => this.#resolver.answer(message, from, transport),
    });
    this.#servers.set(address, starting);
    try {
      await starting;
      log('info', 'dns-serving', { address, port });
    } catch (cause) {
      this.#servers.delete(address);
      throw new CoiError(
        'network-unprotected',
        `coid cannot answer DNS on ${address} port ${port} (${cause instanceof Error ? cause.message : String(cause)})`,
        { hint: 'Run `ss -lnup` to see what uses that port.', cause },
      );
    }
  }

  refusedNames(hostName: string): RefusedName[] {
    return [...(this.#refused.get(hostName)?.values() ?? [])];
  }

  /** Counts of a session's DNS queries. */
  questions(hostName: string) {
    return this.#counts.of(hostName, this.#parts.elapsedMs());
  }

  forget(hostName: string): void {
    this.#counts.forget(hostName);
    this.#refused.delete(hostName);
    this.#resolver.forget(hostName);
  }

  #note(hostName: string, name: string, type: string, reason: string): void {
    const names = this.#refused.get(hostName) ?? new Map<string, RefusedName>();
    this.#refused.set(hostName, names);
    const key = `${name} ${type}`;
    const count = (names.get(key)?.count ?? 0) + 1;
    // Latest last, so that the oldest is dropped when there are too many.
    names.delete(key);
    names.set(key, { name, type, reason, count, at: this.#parts.now().toISOString() });
    if (names.size > namesMax) names.delete(names.keys().next().value ?? '');
  }
}
