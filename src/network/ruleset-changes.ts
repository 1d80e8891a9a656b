// Computes the nft commands between two sets of session rules. Pure.
import {
  addChain,
  addElement,
  addRules,
  addSet,
  type Chain,
  deleteChain,
  deleteElement,
  deleteSet,
  type Element,
  elementId,
  flushChain,
  type NftCommand,
  type SetDefinition,
} from './nft-json.ts';
import type { SessionRules } from './session-rules.ts';

/** The commands that turn the old rules into the new ones in one transaction, so that nothing is open in between. */
export function rulesetChanges(
  before: readonly SessionRules[],
  after: readonly SessionRules[],
): NftCommand[] {
  const [old, wanted] = [elementsOf(before), elementsOf(after)];
  const [oldChains, chains] = [chainsOf(before), chainsOf(after)];
  const [oldSets, sets] = [setsOf(before), setsOf(after)];
  const changed = [...chains.values()].filter(
    (chain) => JSON.stringify(oldChains.get(chain.name)) !== JSON.stringify(chain),
  );
  const goneChains = [...oldChains.values()].filter(({ name }) => !chains.has(name));
  return [
    ...missing(sets, oldSets).map(addSet),
    ...changed.flatMap((chain) => [
      addChain(chain),
      ...(oldChains.has(chain.name) ? [flushChain(chain)] : []),
      ...addRules(chain),
    ]),
    ...missing(old, wanted).map(deleteElement),
    ...missing(wanted, old).map(addElement),
    ...goneChains.map(flushChain),
    ...goneChains.map(deleteChain),
    ...missing(oldSets, sets).map(deleteSet),
  ];
}

function missing<T>(from: ReadonlyMap<string, T>, others: ReadonlyMap<string, T>): T[] {
  return [...from].filter(([id]) => !others.has(id)).map(([, item]) => item);
}

export function elementsOf(all: readonly SessionRules[]): Map<string, Element> {
  return new Map(
    all.flatMap(({ elements }) =>
      elements.map((element): [string, Element] => [elementId(element), element]),
    ),
  );
}

export function chainsOf(all: readonly SessionRules[]): Map<string, Chain> {
  return new Map(
    all.flatMap(({ chains }) => chains.map((chain): [string, Chain] => [chain.name, chain])),
  );
}

export function setsOf(all: readonly SessionRules[]): Map<string, SetDefinition> {
  return new Map(
    all.flatMap(({ sets }) => sets.map((one): [string, SetDefinition] => [one.name, one])),
  );
}
