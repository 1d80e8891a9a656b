// The subset of JSON Schema that coi's documented shapes use.

interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema;
}

/** Locations where a value violates the schema, one line each. */
export function mismatches(value: unknown, shape: object, at = ''): string[] {
  const schema = shape as Schema;
  if (schema.enum && !schema.enum.includes(value)) return [`${at} is not one of its values`];
  const types = [schema.type ?? []].flat();
  if (types.length > 0 && !types.some((type) => isOfType(value, type)))
    return [`${at} is no ${types.join(' or ')}`];
  if (Array.isArray(value))
    return value.flatMap((item, index) => mismatches(item, schema.items ?? {}, `${at}[${index}]`));
  if (typeof value !== 'object' || value === null) return [];
  const missing = (schema.required ?? [])
    .filter((key) => !Object.hasOwn(value, key))
    .map((key) => `${at}.${key} is missing`);
  const wrong = Object.entries(value).flatMap(([key, inner]) =>
    mismatches(
      inner,
      schema.properties?.[key] ?? schema.additionalProperties ?? {},
      `${at}.${key}`,
    ),
  );
  return [...missing, ...wrong];
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'null':
      return value === null;
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    default:
      return typeof value === type;
  }
}
