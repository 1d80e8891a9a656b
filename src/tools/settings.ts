// Merges settings that coi needs into a tool's JSON file. Pure.
import { isTooDeep } from '../logins/formats/json-depth.ts';

type Json = Readonly<Record<string, unknown>>;

/** `values` over `own`: tables are merged one level deep, everything else is replaced. */
export function mergeSettings(own: Json, values: Json): Json {
  const result: Record<string, unknown> = { ...own };
  for (const [key, value] of Object.entries(values)) {
    const before = result[key];
    result[key] = isObject(before) && isObject(value) ? { ...before, ...value } : value;
  }
  return result;
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
