// Moves the old keys of a file to their places, with its comments and its order kept. The text is changed line by line;
// what comes out is read again and must hold the same values, so a form that is not understood is left to the user. Pure.
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'smol-toml';
import { isTable } from './keys/values.ts';
import { keyLines } from './locate.ts';
import { type Moved, movedKeys } from './migrate.ts';

export interface MovedText {
  readonly text: string;
  readonly moved: readonly Moved[];
  /** What the user has to move, each with the reason. */
  readonly byHand: readonly Moved[];
}

type Table = Record<string, unknown>;

/** The file's text is one that the parser accepts. Throws TomlError otherwise. */
export function movedText(text: string, kind: 'config' | 'profile'): MovedText {
  const moved: Moved[] = [];
  const byHand: Moved[] = [];
  const at = keyLines(text);
  const inOrder = movedKeys(parse(text), kind).sort(
    (one, other) => (at.get(one.key) ?? 0) - (at.get(other.key) ?? 0),
  );
  let now = text;
  // Each goes to the beginning of its section, so the last one goes first.
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

/** The text after that key is moved, or why that is left to the user. */
function afterMove(text: string, { key, to }: Moved): { readonly text: string } | string {
  const before = parse(text) as Table;
  if (valueAt(before, to) !== undefined) return `is there twice: ${shown(to)} is set as well`;
  const next = key === 'build' ? withHeaders(text) : withLine(text, key, to);
  if (next === undefined) return `is written in a form that only you can move to ${shown(to)}`;
  return isSame(next, expected(before, key.split('.'), to))
    ? { text: next }
    : `is written in a form that only you can move to ${shown(to)}`;
}

/** `[build]` and `[build.more]` become `[container.build]` and so on. */
function withHeaders(text: string): string {
  return text.replace(/^(\s*\[{1,2}\s*)build(?=\s*[.\]])/gm, '$1container.build');
}

/** A key of one line goes to the section where it belongs, which is made at the end if there is none. */
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
  let place: Table = next;
  for (const part of to.slice(0, -1)) {
    const inner = place[part];
    const made: Table = isTable(inner) ? (inner as Table) : {};
    place[part] = made;
    place = made;
  }
  place[to.at(-1) ?? ''] = value;
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
    // A section that is there in another form cannot be begun again.
    return false;
  }
}

/** A section whose last key has moved away stays as an empty one, which says nothing. */
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
