// Workspace facts with a time limit. Pure, except for the clock in the facts.
import type { TreeFacts } from './path-walk.ts';

export class TimeLimitExceeded extends Error {}

/** Every lookup after the limit throws. Without a clock there is no limit. */
export function withTimeLimit(facts: TreeFacts, limitMs: number): TreeFacts {
  const { nowMs } = facts;
  if (!nowMs) return facts;
  const endMs = nowMs() + limitMs;
  const look = <Args extends unknown[], Result>(ask: (...args: Args) => Result) => {
    return (...args: Args): Result => {
      if (nowMs() > endMs) throw new TimeLimitExceeded();
      return ask(...args);
    };
  };
  const asked = {
    nowMs: look(nowMs),
    kind: look(facts.kind),
    names: look(facts.names),
    text: look(facts.text),
    link: look(facts.link),
    tree: look(facts.tree),
    place: look(facts.locate),
    ...(facts.outside ? { outside: look(facts.outside) } : {}),
    isMountedOver: look(facts.isMountedOver),
  };
  // Other facts stay lazy: the home directory, for example, is expensive to look up.
  return Object.assign(Object.create(facts) as TreeFacts, asked);
}
