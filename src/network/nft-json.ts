// Builders for nftables' JSON. Source: libnftables-json(5).
import { createHash } from 'node:crypto';

export type Family = 'bridge' | 'inet';
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json };
export type Expression = Json;
export type Statement = Readonly<Record<string, Json>>;
/** One command of a transaction: `{ add: { rule: … } }`. */
export type NftCommand = Readonly<Record<string, Json>>;

export interface Chain {
  readonly family: Family;
  readonly table: string;
  readonly name: string;
  /** The hook of a base chain. Its policy is always accept: coi does not affect other traffic. */
  readonly base?: {
    readonly type: 'filter' | 'nat';
    readonly hook: string;
    readonly priority: number;
  };
  readonly rules: readonly Rule[];
}

export interface Rule {
  readonly statements: readonly Statement[];
}

export interface SetDefinition {
  readonly family: Family;
  readonly table: string;
  readonly name: string;
  readonly type: string | readonly string[];
  /** Present for a verdict map. */
  readonly map?: 'verdict';
  readonly flags?: readonly string[];
  readonly timeoutSeconds?: number;
  readonly size?: number;
}

/** An element of a set or of a verdict map, with the chain that it leads to. */
export interface Element {
  readonly family: Family;
  readonly table: string;
  readonly set: string;
  readonly key: readonly string[];
  readonly jump?: string;
}

export const meta = (key: string): Expression => ({ meta: { key } });
export const ct = (key: string): Expression => ({ ct: { key } });
export const payload = (protocol: string, field: string): Expression => ({
  payload: { protocol, field },
});
export const concat = (...parts: readonly Expression[]): Expression => ({ concat: parts });
export const set = (...items: readonly Json[]): Expression => ({ set: items });
export const portSpan = (from: number, to: number): Json =>
  from === to ? from : { range: [from, to] };

export const equal = (left: Expression, right: Json): Statement => ({
  match: { op: '==', left, right },
});
export const unequal = (left: Expression, right: Json): Statement => ({
  match: { op: '!=', left, right },
});
/** For bit fields such as `ct state`. */
export const within = (left: Expression, right: Json): Statement => ({
  match: { op: 'in', left, right },
});
export const vmap = (key: Expression, name: string): Statement => ({
  vmap: { key, data: `@${name}` },
});
export const update = (elem: Expression, name: string): Statement => ({
  set: { op: 'update', elem, set: `@${name}` },
});
export const limited = (rate: number, burst: number): Statement => ({
  limit: { rate, burst, per: 'second' },
});

export const accept: Statement = { accept: null };
export const drop: Statement = { drop: null };
export const counter = (name: string): Statement => ({ counter: name });
export const jump = (target: string): Statement => ({ jump: { target } });
export const goTo = (target: string): Statement => ({ goto: { target } });

export const rule = (...statements: readonly Statement[]): Rule => ({ statements });

/** Stored in the rule's comment, so that a listing can be compared without interpreting the kernel's form of the rule. */
export function ruleMark({ statements }: Rule): string {
  return createHash('sha256').update(JSON.stringify(statements)).digest('hex').slice(0, 12);
}

export const addChain = ({ family, table, name, base }: Chain): NftCommand => ({
  add: {
    chain: {
      family,
      table,
      name,
      ...(base && { type: base.type, hook: base.hook, prio: base.priority, policy: 'accept' }),
    },
  },
});

export const addRules = (chain: Chain): NftCommand[] => {
  const { family, table, name } = chain;
  return chain.rules.map((one) => ({
    add: { rule: { family, table, chain: name, expr: one.statements, comment: ruleMark(one) } },
  }));
};

export const flushChain = ({ family, table, name }: Chain): NftCommand => ({
  flush: { chain: { family, table, name } },
});
export const deleteChain = ({ family, table, name }: Chain): NftCommand => ({
  delete: { chain: { family, table, name } },
});

export function addSet({
  family,
  table,
  name,
  type,
  map,
  flags,
  timeoutSeconds,
  size,
}: SetDefinition): NftCommand {
  const body = {
    family,
    table,
    name,
    type: typeof type === 'string' ? type : [...type],
    ...(map && { map }),
    ...(flags && { flags: [...flags] }),
    ...(timeoutSeconds !== undefined && { timeout: timeoutSeconds }),
    ...(size !== undefined && { size }),
  };
  return { add: map ? { map: body } : { set: body } };
}

export const deleteSet = ({ family, table, name, map }: SetDefinition): NftCommand => ({
  delete: { [map ? 'map' : 'set']: { family, table, name } },
});

export const addElement = (element: Element): NftCommand => ({
  add: { element: elementBody(element) },
});
export const deleteElement = (element: Element): NftCommand => ({
  delete: { element: elementBody(element) },
});

function elementBody({ family, table, set: name, key, jump: target }: Element): Json {
  const single = key.length === 1 ? (key[0] ?? '') : { concat: key };
  return {
    family,
    table,
    name,
    elem: [target === undefined ? single : [single, { jump: { target } }]],
  };
}

/** Equal for equal elements. */
export function elementId({ family, table, set: name, key, jump: target }: Element): string {
  return [family, table, name, key.join(' '), target ?? ''].join('|');
}
