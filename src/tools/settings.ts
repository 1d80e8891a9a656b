// Merges settings that coi needs into a tool's JSON file. Pure.
import { isTooDeep } from '../logins/formats/json-depth.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * `values` over `own`: tables are merged one level deep, everything else is replaced. With `joinArrays`, arrays get the
 * elements that they lack instead.
 */
export function mergeSettings(own: Json, values: Json, joinArrays = false): Json {
  const result: Record<string, unknown> = { ...own };
  for (const [key, value] of Object.entries(values)) {
    const before = result[key];
    if (isObject(before) && isObject(value)) result[key] = { ...before, ...value };
    else if (joinArrays && Array.isArray(before) && Array.isArray(value))
      result[key] = joined(before, value);
    else result[key] = value;
  }
  return result;
}

function joined(before: readonly unknown[], more: readonly unknown[]): unknown[] {
  const known = new Set(before.map((element) => JSON.stringify(element)));
  return [...before, ...more.filter((element) => !known.has(JSON.stringify(element)))];
}

/** Only the given top-level keys. */
export function pickSettings(own: Json, keys: readonly string[]): Json {
  return Object.fromEntries(Object.entries(own).filter(([key]) => keys.includes(key)));
}

/** The object in a JSON text; undefined if there is none or if it is nested too deeply. */
export function parseJsonObject(text: string): Json | undefined {
  if (isTooDeep(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
