// Builds all of coi's rules as one transaction and compares them with the kernel's listing. Pure.

import {
  addChain,
  addElement,
  addRules,
  addSet,
  type Chain,
  type Element,
  type Family,
  type NftCommand,
  ruleMark,
  type SetDefinition,
} from './nft-json.ts';
import { type BaseOptions, baseRuleset } from './ruleset.ts';
import { chainsOf, elementsOf, setsOf } from './ruleset-changes.ts';
import type { HostNetworks } from './session-rules.ts';
import { type SessionRules, sharedChain } from './session-rules.ts';

/** All objects that should exist. */
export interface Expected {
  readonly table: string;
  readonly counters: readonly {
    readonly family: Family;
    readonly table: string;
    readonly name: string;
  }[];
  readonly sets: readonly SetDefinition[];
  readonly chains: readonly Chain[];
  readonly elements: readonly Element[];
}

/** The shared chain, which depends on the host's networks, in the form of session rules, so that it is updated like them. */
export function sharedRules(surroundings: HostNetworks): SessionRules {
  return { sets: [], chains: [sharedChain(surroundings)], elements: [] };
}

export function expected(base: BaseOptions, sessions: readonly SessionRules[]): Expected {
  const ruleset = baseRuleset(base);
  return {
    table: base.table,
    counters: ruleset.counters,
    sets: [...ruleset.sets, ...setsOf(sessions).values()],
    chains: [...ruleset.chains, ...chainsOf(sessions).values()],
    elements: [...elementsOf(sessions).values()],
  };
}

export const families: readonly Family[] = ['bridge', 'inet'];

/** Replaces both tables atomically. `more` comes last: resolved addresses, which would otherwise be lost. */
export function replaceAll(wanted: Expected, more: readonly NftCommand[] = []): NftCommand[] {
  const tables = families.map((family) => ({ table: { family, name: wanted.table } }));
  return [
    // Deleting a missing table fails, but adding an existing one does not.
    ...tables.flatMap((table) => [{ add: table }, { delete: table }, { add: table }]),
    ...wanted.counters.map((counter) => ({ add: { counter } })),
    ...wanted.sets.map(addSet),
    ...wanted.chains.map(addChain),
    ...wanted.chains.flatMap(addRules),
    ...wanted.elements.map(addElement),
    ...more,
  ];
}

export function removeAll(table: string): NftCommand[] {
  return families.flatMap((family) => [
    { add: { table: { family, name: table } } },
    { delete: { table: { family, name: table } } },
  ]);
}

type Listed = Readonly<Record<string, unknown>>;

/** One line per difference between the wanted rules and nft's listing `objects`. */
export function differences(wanted: Expected, objects: readonly Listed[]): string[] {
  return [
    ...chainDifferences(wanted, objects),
    ...setDifferences(wanted, objects),
    ...elementDifferences(wanted, objects),
  ];
}

function chainDifferences(wanted: Expected, objects: readonly Listed[]): string[] {
  const shown = new Map<string, string>();
  for (const { chain } of objects as readonly { chain?: Record<string, unknown> }[]) {
    if (chain)
      shown.set(
        `${chain['family']} ${chain['name']}`,
        [chain['type'], chain['hook'], chain['prio'], chain['policy']].join(' ').trim(),
      );
  }
  const marks = new Map<string, string[]>();
  for (const { rule } of objects as readonly { rule?: Record<string, unknown> }[]) {
    if (rule)
      marks.set(`${rule['family']} ${rule['chain']}`, [
        ...(marks.get(`${rule['family']} ${rule['chain']}`) ?? []),
        String(rule['comment']),
      ]);
  }
  const lines = wanted.chains.flatMap((chain) => {
    const id = `${chain.family} ${chain.name}`;
    const base = chain.base
      ? `${chain.base.type} ${chain.base.hook} ${chain.base.priority} accept`
      : '';
    if (!shown.has(id)) return [`chain ${id} is missing`];
    if (shown.get(id) !== base) return [`chain ${id} has a different hook`];
    return (marks.get(id) ?? []).join(' ') === chain.rules.map(ruleMark).join(' ')
      ? []
      : [`chain ${id} has different rules`];
  });
  const known = new Set(wanted.chains.map(({ family, name }) => `${family} ${name}`));
  return [
    ...lines,
    ...[...shown.keys()].filter((id) => !known.has(id)).map((id) => `unexpected chain ${id}`),
  ];
}

function setDifferences(wanted: Expected, objects: readonly Listed[]): string[] {
  const shown = new Set(
    (objects as readonly Record<string, Record<string, unknown>>[]).flatMap((object) =>
      [object['set'], object['map']].flatMap((one) =>
        one ? [`${one['family']} ${one['name']}`] : [],
      ),
    ),
  );
  const known = new Set(wanted.sets.map(({ family, name }) => `${family} ${name}`));
  return [
    ...[...known].filter((id) => !shown.has(id)).map((id) => `set ${id} is missing`),
    ...[...shown].filter((id) => !known.has(id)).map((id) => `unexpected set ${id}`),
  ];
}

function elementDifferences(wanted: Expected, objects: readonly Listed[]): string[] {
  const ours = new Set(
    wanted.sets.filter(({ flags }) => !flags).map(({ family, name }) => `${family} ${name}`),
  );
  const shown = new Set(
    (objects as readonly Record<string, Record<string, unknown>>[]).flatMap((object) =>
      [object['set'], object['map']].flatMap((one) =>
        one && ours.has(`${one['family']} ${one['name']}`) ? listedElements(one) : [],
      ),
    ),
  );
  const known = new Set(
    wanted.elements.map(({ family, set, key, jump }) =>
      `${family} ${set} ${key.join(' ')} ${jump ?? ''}`.trim(),
    ),
  );
  return [
    ...[...known].filter((id) => !shown.has(id)).map((id) => `element ${id} is missing`),
    ...[...shown].filter((id) => !known.has(id)).map((id) => `unexpected element ${id}`),
  ];
}

/** `"a"`, `{ concat: ["a", "b"] }`, or for maps `[key, { jump: { target } }]`. */
function listedElements(one: Record<string, unknown>): string[] {
  const elements = Array.isArray(one['elem']) ? (one['elem'] as unknown[]) : [];
  return elements.map((element) => {
    const [key, verdict] = Array.isArray(element) ? element : [element, undefined];
    const parts =
      typeof key === 'object' ? ((key as { concat?: unknown[] } | null)?.concat ?? [key]) : [key];
    const target = (verdict as { jump?: { target?: unknown } } | undefined)?.jump?.target;
    return `${one['family']} ${one['name']} ${parts.join(' ')} ${target ?? ''}`.trim();
  });
}
