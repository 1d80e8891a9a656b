// Moves old keys of a file to their new sections and keeps comments and order. The text is changed line by line. The
// result is parsed again and must have the same values; anything else is left to the user. Pure.
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'smol-toml';
import { keyLines } from './key-lines.ts';
import { isTable } from './keys/values.ts';
import { type MovedKey, movedKeys } from './migrate.ts';

export interface MigratedText {
  readonly text: string;
  readonly moved: readonly MovedKey[];
  /** Keys that the user has to move, each with the reason. */
  readonly byHand: readonly MovedKey[];
}

type Table = Record<string, unknown>;

/** Throws TomlError for invalid TOML. */
export function migrateText(text: string, kind: 'config' | 'profile'): MigratedText {
  const moved: MovedKey[] = [];
  const byHand: MovedKey[] = [];
  const at = keyLines(text);
  const inOrder = movedKeys(parse(text), kind).sort(
    (one, other) => (at.get(one.key) ?? 0) - (at.get(other.key) ?? 0),
  );
  let now = text;
  // Each key goes to the top of its section, so the last one is moved first.
  for (const one of inOrder.toReversed()) {
    const next = afterMove(now, one);
    if (typeof next === 'string') byHand.unshift({ ...one, text: next });
    else {
      now = next.text;
      moved.unshift(one);
    }
  }
  return { text: now, moved, byHand };
}

/** The text with that key moved, or why the user has to move it. */
function afterMove(text: string, { key, to }: MovedKey): { readonly text: string } | string {
  const before = parse(text) as Table;
  if (valueAt(before, to) !== undefined) return `is duplicated: ${shown(to)} is also set`;
  const next = key === 'build' ? withHeaders(text) : withLine(text, key, to);
  if (next === undefined) return `cannot be moved automatically; move it to ${shown(to)}`;
  return isSame(next, expected(before, key.split('.'), to))
    ? { text: next }
    : `cannot be moved automatically; move it to ${shown(to)}`;
}

/** `[build]` and `[build.more]` become `[container.build]` and so on. */
function withHeaders(text: string): string {
  return text.replace(/^(\s*\[{1,2}\s*)build(?=\s*[.\]])/gm, '$1container.build');
}

/** Moves a one-line key to its section; a missing section is added at the end. */
function withLine(
  text: string,
  key: string,
  [section, name]: readonly string[],
): string | undefined {
  const number = keyLines(text).get(key);
  const lines = text.split('\n');
  const line = number === undefined ? undefined : lines[number - 1];
  const last = key.split('.').at(-1) ?? '';
  const [, value] =
    new RegExp(`^\\s*(?:[a-z]+\\.)?${last}\\s*=\\s*([^\\n]*)$`).exec(line ?? '') ?? [];
  if (number === undefined || value === undefined) return undefined;
  lines.splice(number - 1, 1);
  const end = line?.endsWith('\r') ? '\r' : '';
  const header = lines.findIndex((one) => new RegExp(`^\\s*\\[\\s*${section}\\s*\\]`).test(one));
  if (header >= 0) lines.splice(header + 1, 0, `${name} = ${value}`);
  else {
    while (lines.at(-1)?.trim() === '') lines.pop();
    lines.push(end, `[${section}]${end}`, `${name} = ${value}`, '');
  }
  return lines.join('\n');
}

function expected(table: Table, from: readonly string[], to: readonly string[]): Table {
  const next = structuredClone(table);
  const value = valueAt(next, from);
  const [parent, name] = [valueAt(next, from.slice(0, -1)), from.at(-1) ?? ''];
  if (isTable(parent)) delete (parent as Table)[name];
  let target: Table = next;
  for (const part of to.slice(0, -1)) {
    const inner = target[part];
    const made: Table = isTable(inner) ? (inner as Table) : {};
    target[part] = made;
    target = made;
  }
  target[to.at(-1) ?? ''] = value;
  return next;
}

function valueAt(table: Table, path: readonly string[]): unknown {
  let value: unknown = table;
  for (const part of path) value = isTable(value) ? (value as Table)[part] : undefined;
  return value;
}

function isSame(text: string, table: Table): boolean {
  try {
    return isDeepStrictEqual(withoutEmpty(structuredClone(parse(text))), withoutEmpty(table));
  } catch {
    // TOML does not allow a section that already exists in another form.
    return false;
  }
}

/** Drops empty sections: moving the last key leaves one behind. */
function withoutEmpty(value: unknown): unknown {
  if (!isTable(value)) return value;
  const entries = Object.entries(value)
    .map(([name, inner]) => [name, withoutEmpty(inner)] as const)
    .filter(([, inner]) => !isTable(inner) || Object.keys(inner).length > 0);
  return Object.fromEntries(entries);
}

function shown(path: readonly string[]): string {
  return path.length > 2 || path.at(-1) === 'build'
    ? `[${path.join('.')}]`
    : `[${path[0]}] ${path[1]}`;
}
