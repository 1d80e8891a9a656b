// A subset of JSON Schema for the shapes of `--json`. Pure.

export type Shape = Readonly<Record<string, unknown>>;

export const string = { type: 'string' } as const;
export const integer = { type: 'integer' } as const;
export const boolean = { type: 'boolean' } as const;
export const list = (items: Shape): Shape => ({ type: 'array', items });

/** An object with these keys. Keys with a `?` at the end are optional; other keys are allowed. */
export function object(keys: Readonly<Record<string, Shape>>): Shape {
  const required = Object.keys(keys).filter((key) => !key.endsWith('?'));
  const properties = Object.fromEntries(
    Object.entries(keys).map(([key, shape]) => [key.replace(/\?$/, ''), shape]),
  );
  return { type: 'object', properties, required };
}

export const number = { type: 'number' } as const;
export const table: Shape = { type: 'object' };

export const snapshot = object({
  name: string,
  created_at: string,
  'expires_at?': string,
  stateful: boolean,
  'description?': string,
});
