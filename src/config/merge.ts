// Merges configuration layers into one set of values. Pure.
import { isDeepStrictEqual } from 'node:util';
import type { Merge } from './keys/key.ts';
import { type KeyName, keyNames, keyOf, keys, type Settings } from './keys/table.ts';
import { isTable } from './keys/values.ts';
import type { Layer, Origin, Origins } from './origin.ts';

export interface MergedConfig {
  readonly settings: Settings;
  readonly origins: Origins;
}

/** Applies `layers` (weakest first) to the defaults. `home` replaces `~` in default paths. */
export function mergeLayers(layers: readonly Layer[], home: string): MergedConfig {
  const values: Record<string, unknown> = {};
  const origins: Record<string, readonly Origin[]> = {};
  for (const name of keyNames) {
    values[name] = expandHome(keys[name].fallback, home);
    origins[name] = [{ kind: 'default' }];
  }
  for (const layer of layers) {
    for (const name of Object.keys(layer.values) as KeyName[]) {
      const rule = keyOf(name).merge;
      const given = layer.values[name];
      if (!isSet(rule, given)) continue;
      const origin = layer.origin(name);
      const below = values[name];
      values[name] = mergeValues(rule, below, given);
      origins[name] =
        grows(rule) && !isEmpty(below) ? [...(origins[name] ?? []), origin] : [origin];
    }
  }
  return { settings: values as unknown as Settings, origins: origins as unknown as Origins };
}

/** Merges the values of two layers. */
export function mergeValues(rule: Merge, below: unknown, above: unknown): unknown {
  switch (rule) {
    case 'replace':
    case 'nonzero':
    case 'on':
      return above;
    case 'append':
      return [...listOf(below), ...listOf(above)];
    case 'union':
      return [...new Set([...listOf(below), ...listOf(above)])];
    case 'keywise':
      return { ...(isTable(below) ? below : {}), ...(isTable(above) ? above : {}) };
    case 'by-name': {
      const named = listOf(above) as readonly { readonly name: string }[];
      const kept = (listOf(below) as readonly { readonly name: string }[]).filter(
        (old) => !named.some((one) => one.name === old.name),
      );
      return [...kept, ...named];
    }
  }
}

/** Whether a layer with that value has no effect. */
export function changesNothing(rule: Merge, below: unknown, given: unknown): boolean {
  return !isSet(rule, given) || isDeepStrictEqual(mergeValues(rule, below, given), below);
}

/** Whether a value is set: an empty string means "not set", as in the predecessor. */
function isSet(rule: Merge, given: unknown): boolean {
  if (given === undefined) return false;
  switch (rule) {
    case 'nonzero':
      return given !== '' && given !== 0;
    case 'on':
      return given === true;
    default:
      return true;
  }
}

function grows(rule: Merge): boolean {
  return rule === 'append' || rule === 'union' || rule === 'keywise' || rule === 'by-name';
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value)
    ? value.length === 0
    : isTable(value) && Object.keys(value).length === 0;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function expandHome(value: unknown, home: string): unknown {
  return typeof value === 'string' && value.startsWith('~/') ? home + value.slice(1) : value;
}
