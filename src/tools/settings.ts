// Settings that coi needs are put into a tool's JSON file beside the user's own. Pure.
import { isTooDeep } from '../logins/formats/json-depth.ts';

type Json = Readonly<Record<string, unknown>>;

/** `values` on top of `own`: tables are joined key by key one level deep, everything else is replaced. */
export function mergedSettings(own: Json, values: Json): Json {
  const result: Record<string, unknown> = { ...own };
  for (const [key, value] of Object.entries(values)) {
    const before = result[key];
    result[key] = isObject(before) && isObject(value) ? { ...before, ...value } : value;
  }
  return result;
}

/** Only the named top-level keys. */
export function pickedSettings(own: Json, keys: readonly string[]): Json {
  return Object.fromEntries(Object.entries(own).filter(([key]) => keys.includes(key)));
}

/** The object that a JSON text holds, or undefined if it holds none, or one that is nested too deeply. */
export function jsonObject(text: string): Json | undefined {
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
