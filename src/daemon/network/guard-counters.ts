// Counters of the network guard for the monitor: DNS queries and denials of each session.
import type { GuardCounters } from '../../monitor/sample.ts';
import type { Denial } from '../../network/denials.ts';

export interface CounterParts {
  /** Interface and address of a container; undefined if it is unguarded. */
  readonly port: (
    container: string,
  ) => { readonly hostName: string; readonly address: string } | undefined;
  readonly questions: (hostName: string) => {
    readonly names: number;
    readonly long: readonly string[];
  };
  /** Expensive: runs nft to list a table. */
  readonly denials: () => Promise<readonly Denial[]>;
  readonly elapsedMs: () => number;
}

/** Minimum interval of listings, which serve all sessions. */
const listEveryMs = 15_000;
const deniedMax = 100;

export class GuardCounterReader {
  readonly #parts: CounterParts;
  /** Unreported denials by the session's address. */
  #fresh = new Map<string, Denial[]>();
  readonly #counts = new Map<string, number>();
  #listedMs = Number.NEGATIVE_INFINITY;

  constructor(parts: CounterParts) {
    this.#parts = parts;
  }

  /** Counters since the last call for that container. */
  counters(container: string): GuardCounters | undefined {
    const port = this.#parts.port(container);
    if (!port) return undefined;
    this.#list();
    const { names, long } = this.#parts.questions(port.hostName);
    const denied = this.#fresh.get(port.address) ?? [];
    this.#fresh.delete(port.address);
    const count = (this.#counts.get(port.address) ?? 0) + denied.length;
    this.#counts.set(port.address, count);
    return {
      deniedPackets: count,
      dnsNames: names,
      dnsLongNames: long,
      denied: denied.map(({ address, protocol, port }) => ({ address, protocol, port: port ?? 0 })),
    };
  }

  /** Lists denials in the background for the next call. Errors are ignored: the guard reports its own. */
  #list(): void {
    const nowMs = this.#parts.elapsedMs();
    if (nowMs - this.#listedMs < listEveryMs) return;
    const sinceSeconds = (nowMs - this.#listedMs) / 1000;
    this.#listedMs = nowMs;
    this.#parts.denials().then(
      (denials) => this.#take(denials.filter(({ secondsAgo }) => secondsAgo <= sinceSeconds)),
      () => undefined,
    );
  }

  #take(denials: readonly Denial[]): void {
    for (const denial of denials) {
      const known = this.#fresh.get(denial.source) ?? [];
      if (known.length < deniedMax) this.#fresh.set(denial.source, [...known, denial]);
    }
    // Drops old addresses, which no watch collects.
    if (this.#fresh.size > deniedMax) this.#fresh = new Map([...this.#fresh].slice(-deniedMax));
  }
}
