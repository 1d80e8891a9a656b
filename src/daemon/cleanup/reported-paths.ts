// Limits reports about files that a session creates: the first by name, the rest as a number, once a minute. Pure.

const namedMax = 20;
const everyMs = 60_000;

export interface PathReport {
  readonly named: readonly string[];
  /** Number of files besides the named ones; undefined if already reported. */
  readonly more: number | undefined;
}

export class ReportedPaths {
  readonly #named = new Set<string>();
  #more = 0;
  #atMs = Number.NEGATIVE_INFINITY;

  /** `paths` are the first of the `count` files that exist now. */
  update(paths: readonly string[], count: number, nowMs: number): PathReport {
    const named: string[] = [];
    for (const path of paths) {
      if (this.#named.size >= namedMax) break;
      if (this.#named.has(path)) continue;
      this.#named.add(path);
      named.push(path);
    }
    const known = paths.filter((path) => this.#named.has(path)).length;
    const more = count - known;
    if (more <= 0 || more === this.#more || nowMs - this.#atMs < everyMs)
      return { named, more: undefined };
    this.#more = more;
    this.#atMs = nowMs;
    return { named, more };
  }
}
