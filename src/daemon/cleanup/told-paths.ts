// What is told of files that a session makes in any number: the first by name, the rest as a number, once a minute. Pure.

const namedMax = 20;
const everyMs = 60_000;

export interface News {
  readonly named: readonly string[];
  /** How many there are besides those that were named; undefined where that was told already. */
  readonly more: number | undefined;
}

export class ToldPaths {
  readonly #named = new Set<string>();
  #more = 0;
  #atMs = Number.NEGATIVE_INFINITY;

  /** `paths` are the first of `count` that are there now. */
  news(paths: readonly string[], count: number, nowMs: number): News {
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
