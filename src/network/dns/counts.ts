// What sessions ask for, counted for whoever watches them. Pure but for what it counts.

/** Of one session. */
interface Asked {
  names: Set<string>;
  /** Different ones since the start. */
  count: number;
  /** Suspicious ones of the last minute, the latest last. */
  long: { readonly name: string; readonly atMs: number }[];
}

const namesMax = 4096;
const longMax = 500;
const windowMs = 60_000;

export class QuestionCounts {
  readonly #carriesData: (name: string) => boolean;
  readonly #sessions = new Map<string, Asked>();

  constructor(carriesData: (name: string) => boolean) {
    this.#carriesData = carriesData;
  }

  /** `atMs` is monotonic. */
  note(session: string, name: string, atMs: number): void {
    const asked = this.#sessions.get(session) ?? { names: new Set(), count: 0, long: [] };
    this.#sessions.set(session, asked);
    if (asked.names.has(name)) return;
    // Forgetting costs that a name counts twice, never memory without end.
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
