// Limits how many entries of protected directories are guarded one by one. Larger ones are locked as a whole or refused.
// Pure, except for the remaining budget.
import type { Tree, TreeFacts } from './path-walk.ts';

/** For all protected directories together, and for each target of a link or key. */
export const treeEntriesMax = 5000;

export class TreeBudget {
  readonly #facts: TreeFacts;
  #left = treeEntriesMax;

  constructor(facts: TreeFacts) {
    this.#facts = facts;
  }

  /** The content of a protected directory; undefined if it is already locked as a whole or exceeds the budget. */
  own(path: string): Tree | undefined {
    if (this.#facts.isWhole?.(path)) return undefined;
    const tree = this.#facts.tree(path, this.#left);
    this.#left -= tree?.entries ?? 0;
    return tree;
  }

  /** The content of a directory that a link or key leads to; undefined if it is too large. */
  other(path: string): Tree | undefined {
    return this.#facts.tree(path, treeEntriesMax);
  }
}
