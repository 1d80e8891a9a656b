// Reads fields of JSON values that a container has written. Pure.

export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** The elements of a list; none of anything else. */
export function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The container may write any number. */
const latestMs = Date.UTC(3000, 0);

export function timeOf(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 && value < latestMs ? value : undefined;
}

/** As JSON; empty for nothing, and for what is nested too deeply. */
export function jsonText(fields: Readonly<Record<string, unknown>>): string {
  if (Object.keys(fields).length === 0) return '';
  try {
    return JSON.stringify(fields);
  } catch {
    return '';
  }
}
