// Facts of a workspace that are told for so long and no longer. Pure, but for the clock that they bring.
import type { TreeFacts } from './path-walk.ts';

export class TookTooLong extends Error {}

/** Throws TookTooLong from whatever is asked later than that. Without a clock nothing takes long. */
export function timed(facts: TreeFacts, limitMs: number): TreeFacts {
  const { nowMs } = facts;
  if (!nowMs) return facts;
  const endMs = nowMs() + limitMs;
  const look = <Args extends unknown[], Result>(ask: (...args: Args) => Result) => {
    return (...args: Args): Result => {
      if (nowMs() > endMs) throw new TookTooLong();
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
    place: look(facts.place),
    ...(facts.outside ? { outside: look(facts.outside) } : {}),
    isMountedOver: look(facts.isMountedOver),
  };
  // What is not asked costs nothing, as the home of an account does.
  return Object.assign(Object.create(facts) as TreeFacts, asked);
}
