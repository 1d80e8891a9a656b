// Value types of keys: each parses a TOML value and describes itself as JSON Schema.
// Written by hand because loading a schema library at every start costs more than all of these together.

export type JsonSchema = Readonly<Record<string, unknown>>;

/** Base directories for relative paths in a file. */
export interface PathBases {
  readonly home: string;
  /** Directory of the configuration file: for scripts, contexts and prompts. */
  readonly dir: string;
  /** For host paths of mounts, sockets and credentials. */
  readonly workspace: string;
}

export interface ValueType<T> {
  readonly schema: JsonSchema;
  /** Throws ValueProblem. */
  readonly parse: (value: unknown, bases: PathBases) => T;
}

/** A problem with a value. `inner` is the path below the key, such as `[0].host`. */
export class ValueProblem extends Error {
  readonly inner: string;
  /** Valid names, if a name was wrong. */
  readonly known: readonly string[];
  readonly wrongName: string | undefined;

  constructor(
    message: string,
    more: { inner?: string; known?: readonly string[]; wrongName?: string | undefined } = {},
  ) {
    super(message);
    this.name = 'ValueProblem';
    this.inner = more.inner ?? '';
    this.known = more.known ?? [];
    this.wrongName = more.wrongName;
  }

  below(part: string): ValueProblem {
    return new ValueProblem(this.message, {
      inner: part + this.inner,
      known: this.known,
      wrongName: this.wrongName,
    });
  }
}

/** A string; `about` completes "must be …" if the pattern does not match. An empty string means "not set" (see merge.ts). */
export function text(pattern?: RegExp, about?: string): ValueType<string> {
  return {
    schema: { type: 'string', ...(pattern && { pattern: `^$|${pattern.source}` }) },
    parse: (value) => {
      const given = expectText(value);
      if (pattern && given !== '' && !pattern.test(given))
        throw new ValueProblem(`must be ${about ?? `like ${pattern.source}`}`);
      return given;
    },
  };
}

/** A string that must not be empty: in lists, and where a value is required. */
export function nonEmpty(type: ValueType<string>): ValueType<string> {
  return {
    schema: { ...type.schema, minLength: 1 },
    parse: (value, bases) => {
      const given = type.parse(value, bases);
      if (given === '') throw new ValueProblem('must not be empty');
      return given;
    },
  };
}

export function choice<const T extends string>(...options: readonly T[]): ValueType<T> {
  return {
    schema: { type: 'string', enum: options },
    parse: (value) => {
      const found = options.find((option) => option === value);
      if (found === undefined)
        throw new ValueProblem(
          `must be one of ${options.join(', ')}`,
          typeof value === 'string' ? { known: options, wrongName: value } : {},
        );
      return found;
    },
  };
}

export const flag: ValueType<boolean> = {
  schema: { type: 'boolean' },
  parse: (value) => {
    if (typeof value !== 'boolean')
      throw new ValueProblem(`must be true or false, not ${kindOf(value)}`);
    return value;
  },
};

export function integer(min: number, max = 2 ** 31 - 1): ValueType<number> {
  return {
    schema: { type: 'integer', minimum: min, maximum: max },
    parse: (value) => {
      if (typeof value !== 'number' || !Number.isInteger(value))
        throw new ValueProblem(`must be a whole number, not ${kindOf(value)}`);
      if (value < min || value > max) throw new ValueProblem(`must be from ${min} to ${max}`);
      return value;
    },
  };
}

export function decimal(min: number): ValueType<number> {
  return {
    schema: { type: 'number', minimum: min },
    parse: (value) => {
      if (typeof value !== 'number' || !Number.isFinite(value))
        throw new ValueProblem(`must be a number, not ${kindOf(value)}`);
      if (value < min) throw new ValueProblem(`must be at least ${min}`);
      return value;
    },
  };
}

/** A Go duration such as `90s` or `1h30m`, in milliseconds; longer than zero. */
export const durationMs: ValueType<number> = {
  schema: { type: 'string', pattern: '^$|^(\\d+(\\.\\d+)?(ms|s|m|h))+$' },
  parse: (value) => {
    const given = expectText(value);
    if (given === '') return 0;
    const ms = parseDurationMs(given);
    if (ms === undefined)
      throw new ValueProblem('must be a duration such as "90s", "30m" or "1h30m"');
    if (ms < 1 || ms > 2 ** 31 * 1000)
      throw new ValueProblem('must be a duration longer than zero and shorter than 60 years');
    return ms;
  },
};

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a Go duration, or undefined. */
export function parseDurationMs(given: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(given)) return undefined;
  let total = 0;
  for (const [, amount, unit] of given.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    total += Number(amount) * (unitMs[unit ?? ''] ?? 0);
  return total;
}

/** A host path. `~` is the home; a relative path starts at the file's directory (or the workspace). */
export function path(from: 'dir' | 'workspace' = 'dir'): ValueType<string> {
  return {
    schema: { type: 'string' },
    parse: (value, bases) => {
      const given = expectText(value);
      return given === '' ? '' : resolvePath(given, bases.home, bases[from]);
    },
  };
}

/** Makes a path absolute, without `.`, `..` and empty parts. */
export function resolvePath(given: string, home: string, base: string): string {
  const absolute =
    given === '~' || given.startsWith('~/')
      ? home + given.slice(1)
      : given.startsWith('/')
        ? given
        : `${base}/${given}`;
  const parts: string[] = [];
  for (const part of absolute.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** An absolute path in the container, without `.` and `..`. */
export const guestPath: ValueType<string> = {
  schema: { type: 'string', pattern: '^/' },
  parse: (value) => {
    const given = expectText(value);
    if (!given.startsWith('/') || given.split('/').includes('..'))
      throw new ValueProblem('must be an absolute path in the container, without ..');
    const parts = given.split('/').filter((part) => part !== '' && part !== '.');
    return `/${parts.join('/')}`;
  },
};

export function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
  );
}

export function expectTable(value: unknown): Readonly<Record<string, unknown>> {
  if (!isTable(value)) throw new ValueProblem(`must be a table, not ${kindOf(value)}`);
  return value;
}

function expectText(value: unknown): string {
  if (typeof value !== 'string') throw new ValueProblem(`must be a string, not ${kindOf(value)}`);
  if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(value))
    throw new ValueProblem('contains control characters');
  return value;
}

export function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Date) return 'a date';
  switch (typeof value) {
    case 'string':
      return 'a string';
    case 'number':
    case 'bigint':
      return 'a number';
    case 'boolean':
      return 'true or false';
    default:
      return isTable(value) ? 'a table' : 'nothing';
  }
}
