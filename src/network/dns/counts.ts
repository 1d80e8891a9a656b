// Counts the DNS queries of sessions for the monitor. Pure except for its counters.

/** The counters of one session. */
interface SessionQueries {
  names: Set<string>;
  /** The number of different names since the start. */
  count: number;
  /** Suspicious names of the last minute, latest last. */
  long: { readonly name: string; readonly atMs: number }[];
}

const namesMax = 4096;
const longMax = 500;
const windowMs = 60_000;

export class QueryCounts {
  readonly #carriesData: (name: string) => boolean;
  readonly #sessions = new Map<string, SessionQueries>();

  constructor(carriesData: (name: string) => boolean) {
    this.#carriesData = carriesData;
  }

  /** `atMs` is monotonic. */
  note(session: string, name: string, atMs: number): void {
    const asked = this.#sessions.get(session) ?? { names: new Set(), count: 0, long: [] };
    this.#sessions.set(session, asked);
    if (asked.names.has(name)) return;
    // Bounds the memory; a name may then count twice.
    if (asked.names.size >= namesMax) asked.names = new Set();
    asked.names.add(name);
    asked.count += 1;
    if (this.#carriesData(name)) asked.long = [...asked.long, { name, atMs }].slice(-longMax);
  }

  of(session: string, nowMs: number): { readonly names: number; readonly long: readonly string[] } {
    const asked = this.#sessions.get(session);
    const long = asked?.long.filter(({ atMs }) => nowMs - atMs < windowMs) ?? [];
    return { names: asked?.count ?? 0, long: long.map(({ name }) => name) };
  }

  forget(session: string): void {
    this.#sessions.delete(session);
  }
}
