// Faults that a test injects: what goes wrong, and at which of the requests that match.

export type Fault =
  /** Answered only when the promise is settled; the work is done before (`after`) or not before (`before`). */
  | { readonly kind: 'hold'; readonly until: Promise<unknown>; readonly when: 'before' | 'after' }
  /** The connection is cut without an answer, before the work is done or after it. */
  | { readonly kind: 'drop'; readonly when: 'before' | 'after' }
  | { readonly kind: 'fail'; readonly status: number; readonly message: string }
  /** The call is accepted, its operation fails. */
  | { readonly kind: 'fail-operation'; readonly message: string };

export interface FaultRule {
  readonly method?: string;
  readonly path: RegExp;
  /** 1 is the first request that matches. */
  readonly nth: number;
  readonly fault: Fault;
}

export class Faults {
  readonly #rules: { rule: FaultRule; seen: number }[] = [];

  inject(rule: FaultRule): void {
    this.#rules.push({ rule, seen: 0 });
  }

  /** Counts the request; the first rule that it meets is used up. */
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
