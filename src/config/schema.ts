// The table of keys as JSON Schema, for editors. Pure.
import { type KeyName, keyNames, keyOf } from './keys/table.ts';
import { durationMs, type JsonSchema } from './keys/values.ts';

type Section = Map<string, Section | Leaf>;

class Leaf {
  readonly schema: JsonSchema;

  constructor(schema: JsonSchema) {
    this.schema = schema;
  }
}

/** The schema of a configuration file. */
export function configSchema(): JsonSchema {
  const root: Section = new Map();
  for (const name of keyNames) insertLeaf(root, name.split('.'), new Leaf(keySchema(name)));
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Configuration of coi',
    ...objectSchema(root),
  };
}

/** Keys of `[defaults]` that are top-level keys in a profile. */
const profileTop: readonly (readonly [string, KeyName])[] = [
  ['environment', 'defaults.environment'],
  ['env_commands', 'defaults.env_commands'],
  ['env_command_timeout', 'defaults.env_command_timeout'],
  ['forward_env', 'defaults.forward_env'],
];

/** The schema of a profile's config.toml. */
export function profileSchema(): JsonSchema {
  const { properties, ...rest } = configSchema() as { properties: Record<string, unknown> };
  const { defaults: _, ...sections } = properties;
  const top = profileTop.map(([name, key]) => [name, keySchema(key)] as const);
  return {
    ...rest,
    title: 'Profile of coi',
    properties: {
      inherits: { type: 'string', description: 'Name of the profile that this one is based on.' },
      context: {
        type: 'string',
        description: 'File with context text for the agent, relative to the profile.',
      },
      ...Object.fromEntries(top),
      ...sections,
    },
  };
}

/** A value as written in a file: internally, durations are milliseconds. */
export function fileValue(name: KeyName, value: unknown): unknown {
  return keyOf(name).type === durationMs && typeof value === 'number' ? durationText(value) : value;
}

/** Turns values by dotted key into nested tables. */
export function nestByDots(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    const parts = name.split('.');
    const last = parts.pop() ?? '';
    let table = root;
    for (const part of parts) {
      table[part] ??= {};
      table = table[part] as Record<string, unknown>;
    }
    table[last] = value;
  }
  return root;
}

/** Milliseconds as a Go duration. */
export function durationText(ms: number): string {
  const parts: [number, string][] = [
    [Math.floor(ms / 3_600_000), 'h'],
    [Math.floor(ms / 60_000) % 60, 'm'],
    [Math.floor(ms / 1000) % 60, 's'],
    [Math.round(ms % 1000), 'ms'],
  ];
  return (
    parts.flatMap(([amount, unit]) => (amount === 0 ? [] : [`${amount}${unit}`])).join('') || '0s'
  );
}

function keySchema(name: KeyName): JsonSchema {
  const { type, fallback, doc } = keyOf(name);
  return {
    ...type.schema,
    description: doc,
    ...(fallback !== undefined && { default: fileValue(name, fallback) }),
  };
}

function insertLeaf(section: Section, [name, ...rest]: readonly string[], leaf: Leaf): void {
  if (name === undefined) return;
  if (rest.length === 0) {
    section.set(name, leaf);
    return;
  }
  const inner = section.get(name) ?? new Map();
  section.set(name, inner);
  if (inner instanceof Map) insertLeaf(inner, rest, leaf);
}

function objectSchema(section: Section): JsonSchema {
  const properties = [...section].map(([name, inner]) => [
    name,
    inner instanceof Leaf ? inner.schema : objectSchema(inner),
  ]);
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    additionalProperties: false,
  };
}
