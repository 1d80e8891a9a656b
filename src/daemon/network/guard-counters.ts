// What the network guard knows of a session, for whoever watches it: questions for names, and what was denied.
import type { GuardCounters } from '../../monitor/sample.ts';
import type { Denial } from '../../network/denials.ts';

export interface CounterParts {
  /** Interface and address of a container; undefined if it is not guarded. */
  readonly place: (
    container: string,
  ) => { readonly hostName: string; readonly address: string } | undefined;
  readonly questions: (hostName: string) => {
    readonly names: number;
    readonly long: readonly string[];
  };
  /** Dear: a program that lists a table. */
  readonly denials: () => Promise<readonly Denial[]>;
  readonly elapsedMs: () => number;
}

/** One listing for all sessions, and not more often than that. */
const listEveryMs = 15_000;
const deniedMax = 100;

export class GuardWatch {
  readonly #parts: CounterParts;
  /** By address of the session: not yet told. */
  #fresh = new Map<string, Denial[]>();
  readonly #counts = new Map<string, number>();
  #listedMs = Number.NEGATIVE_INFINITY;

  constructor(parts: CounterParts) {
    this.#parts = parts;
  }

  /** What happened since the last call for that container. */
  counters(container: string): GuardCounters | undefined {
    const place = this.#parts.place(container);
    if (!place) return undefined;
    this.#list();
    const { names, long } = this.#parts.questions(place.hostName);
    const denied = this.#fresh.get(place.address) ?? [];
    this.#fresh.delete(place.address);
    const count = (this.#counts.get(place.address) ?? 0) + denied.length;
    this.#counts.set(place.address, count);
    return {
      deniedPackets: count,
      dnsNames: names,
      dnsLongNames: long,
      denied: denied.map(({ address, protocol, port }) => ({ address, protocol, port: port ?? 0 })),
    };
  }

  /** In the background: whoever asks next is told. A failure is the guard's own to tell. */
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
    // Addresses that nobody watches are not kept.
    if (this.#fresh.size > deniedMax) this.#fresh = new Map([...this.#fresh].slice(-deniedMax));
  }
}
