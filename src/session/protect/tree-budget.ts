// How much of protected directories is guarded one by one. What is more is held as a whole, or refused. Pure, but for what is left.
import type { Tree, TreeFacts } from './path-walk.ts';

/** Of protected directories together, and of each that a link or a key leads to. */
export const treeEntriesMax = 5000;

export class TreeBudget {
  readonly #facts: TreeFacts;
  #left = treeEntriesMax;

  constructor(facts: TreeFacts) {
    this.#facts = facts;
  }

  /** What is in a protected directory; undefined for one that is held as a whole already, or has more in it than is left. */
  own(path: string): Tree | undefined {
    if (this.#facts.isWhole?.(path)) return undefined;
    const tree = this.#facts.tree(path, this.#left);
    this.#left -= tree?.entries ?? 0;
    return tree;
  }

  /** What is in a directory that a link or a key leads to; undefined for more than is looked at. */
  other(path: string): Tree | undefined {
    return this.#facts.tree(path, treeEntriesMax);
  }
}
