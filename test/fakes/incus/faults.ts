// Faults that a test injects: the kind of fault, and which of the matching requests it hits.

export type Fault =
  /** Answered only when the promise settles, with the work done before that (`after`) or only then (`before`). */
  | { readonly kind: 'hold'; readonly until: Promise<unknown>; readonly when: 'before' | 'after' }
  /** The connection is cut without an answer, before or after the work is done. */
  | { readonly kind: 'drop'; readonly when: 'before' | 'after' }
  | { readonly kind: 'fail'; readonly status: number; readonly message: string }
  /** The call is accepted, but its operation fails. */
  | { readonly kind: 'fail-operation'; readonly message: string };

export interface FaultRule {
  readonly method?: string;
  readonly path: RegExp;
  /** 1 is the first matching request. */
  readonly nth: number;
  readonly fault: Fault;
}

export class Faults {
  readonly #rules: { rule: FaultRule; seen: number }[] = [];

  inject(rule: FaultRule): void {
    this.#rules.push({ rule, seen: 0 });
  }

  /** Counts the request; the first rule that applies is used up. */
  next(method: string, path: string): Fault | undefined {
    let hit: Fault | undefined;
    for (const entry of this.#rules) {
      const { rule } = entry;
      if ((rule.method !== undefined && rule.method !== method) || !rule.path.test(path)) continue;
      entry.seen += 1;
      if (entry.seen === rule.nth) hit ??= rule.fault;
    }
    return hit;
  }
}
