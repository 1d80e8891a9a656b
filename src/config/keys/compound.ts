// Compound value types: lists, tables, alternatives.
import { expectTable, kindOf, ValueProblem, type ValueType } from './values.ts';

export function list<T>(item: ValueType<T>, max = 1000): ValueType<readonly T[]> {
  return {
    schema: { type: 'array', items: item.schema, maxItems: max },
    parse: (value, bases) => {
      if (!Array.isArray(value)) throw new ValueProblem(`must be a list, not ${kindOf(value)}`);
      if (value.length > max) throw new ValueProblem(`may have at most ${max} entries`);
      return value.map((element, index) => at(`[${index}]`, () => item.parse(element, bases)));
    },
  };
}

/** A table with user-chosen names. */
export function tableOf<T>(
  item: ValueType<T>,
  name: RegExp,
  about: string,
): ValueType<Readonly<Record<string, T>>> {
  return {
    schema: {
      type: 'object',
      propertyNames: { pattern: name.source },
      additionalProperties: item.schema,
    },
    parse: (value, bases) => {
      const entries = Object.entries(expectTable(value)).map(([key, element]): [string, T] => {
        if (!name.test(key))
          throw new ValueProblem(`is not a valid ${about}`, { inner: `.${key}` });
        return [key, at(`.${key}`, () => item.parse(element, bases))];
      });
      return Object.fromEntries(entries);
    },
  };
}

interface Field<T> {
  readonly type: ValueType<T>;
  readonly required: boolean;
  readonly fallback: T | undefined;
}

export function required<T>(type: ValueType<T>): Field<T> & { readonly required: true } {
  return { type, required: true, fallback: undefined };
}

export function optional<T>(type: ValueType<T>): Field<T | undefined> {
  return { type, required: false, fallback: undefined };
}

export function withDefault<T>(type: ValueType<T>, fallback: T): Field<T> {
  return { type, required: false, fallback };
}

type FieldsOf<F> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

/** A table with fixed names; unknown ones are refused, unless `open`. */
export function table<const F extends Readonly<Record<string, Field<unknown>>>>(
  fields: F,
  more: { open?: boolean } = {},
): ValueType<FieldsOf<F>> {
  const names = Object.keys(fields);
  return {
    schema: {
      type: 'object',
      properties: Object.fromEntries(
        Object.entries(fields).map(([name, field]) => [name, field.type.schema]),
      ),
      required: names.filter((name) => fields[name]?.required),
      additionalProperties: more.open === true,
    },
    parse: (value, bases) => {
      const given = expectTable(value);
      const unknown = Object.keys(given).find((name) => !Object.hasOwn(fields, name));
      if (unknown !== undefined && !more.open)
        throw new ValueProblem('is not a known key', {
          inner: `.${unknown}`,
          known: names,
          wrongName: unknown,
        });
      const parsed = Object.entries(fields).map(([name, field]) => {
        const absent = given[name] === undefined;
        if (absent && field.required) throw new ValueProblem(`needs ${name}`);
        return [
          name,
          absent ? field.fallback : at(`.${name}`, () => field.type.parse(given[name], bases)),
        ];
      });
      return Object.fromEntries(parsed) as FieldsOf<F>;
    },
  };
}

/** The first form that fits; if none does, the error is that of the last one. */
export function either<A, B>(first: ValueType<A>, second: ValueType<B>): ValueType<A | B> {
  return {
    schema: { anyOf: [first.schema, second.schema] },
    parse: (value, bases) => {
      try {
        return first.parse(value, bases);
      } catch (error) {
        if (!(error instanceof ValueProblem)) throw error;
        return second.parse(value, bases);
      }
    },
  };
}

/** Converts a parsed value. */
export function mapValue<A, B>(type: ValueType<A>, change: (value: A) => B): ValueType<B> {
  return { schema: type.schema, parse: (value, bases) => change(type.parse(value, bases)) };
}

function at<T>(part: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof ValueProblem ? error.below(part) : error;
  }
}
