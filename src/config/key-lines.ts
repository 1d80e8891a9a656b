// Line numbers of keys in TOML text, for messages and `coi config show`; the parser does not keep them.
// The text must be valid TOML. A key inside an inline table has the line of its table.

/** Lines by path: `container.image`, `mounts.default[0].host`. The first line is 1. */
export function keyLines(text: string): Map<string, number> {
  const scan = new Scan(text);
  const lines = new Map<string, number>();
  const arrays = new Map<string, number>();
  let section = '';
  while (scan.toStatement()) {
    const { line } = scan;
    const header = scan.takeIf('[');
    const isArray = header && scan.takeIf('[');
    const names = scan.names();
    if (!header) {
      recordKey(lines, arrays, section, names, line);
      scan.skipValue();
      continue;
    }
    section = recordKey(lines, arrays, '', names, line);
    if (isArray) section = nextElement(lines, arrays, section.replace(/\[\d+\]$/, ''), line);
    scan.skipLine();
  }
  return lines;
}

/** The line of the nearest known part of a path, or 1. */
export function lineOf(lines: ReadonlyMap<string, number>, path: string): number {
  for (
    let part = path;
    part !== '';
    part = part.slice(0, Math.max(part.lastIndexOf('.'), part.lastIndexOf('['), 0))
  ) {
    const line = lines.get(part);
    if (line !== undefined) return line;
  }
  return 1;
}

/** Records each part of a dotted key and returns its path. A part that is an array of tables means its last element. */
function recordKey(
  lines: Map<string, number>,
  arrays: ReadonlyMap<string, number>,
  section: string,
  names: readonly string[],
  line: number,
): string {
  let path = section;
  for (const name of names) {
    path = path === '' ? name : `${path}.${name}`;
    if (!lines.has(path)) lines.set(path, line);
    const count = arrays.get(path);
    if (count !== undefined) path = `${path}[${count - 1}]`;
  }
  return path;
}

function nextElement(
  lines: Map<string, number>,
  arrays: Map<string, number>,
  path: string,
  line: number,
): string {
  const index = arrays.get(path) ?? 0;
  arrays.set(path, index + 1);
  lines.set(`${path}[${index}]`, line);
  return `${path}[${index}]`;
}

class Scan {
  line = 1;
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Moves to the next header or key; false at the end. */
  toStatement(): boolean {
    for (; this.#at < this.#text.length; this.#step()) {
      const c = this.#text[this.#at] ?? '';
      if (c === '#') this.#to('\n');
      else if (!/\s/.test(c)) return true;
      if (this.#at >= this.#text.length) return false;
    }
    return false;
  }

  takeIf(c: string): boolean {
    if (this.#text[this.#at] !== c) return false;
    this.#at += 1;
    return true;
  }

  /** The parts of a key or header, up to `=` or `]`. */
  names(): string[] {
    const names: string[] = [];
    let name = '';
    for (; this.#at < this.#text.length; this.#at += 1) {
      const c = this.#text[this.#at] ?? '';
      if (c === '=' || c === ']' || c === '\n') break;
      if (c === '"' || c === "'") name = this.#quoted(c);
      else if (c === '.') {
        names.push(name);
        name = '';
      } else if (!/\s/.test(c)) name += c;
    }
    return [...names, name];
  }

  /** Skips a value with its brackets, strings and comments, up to the end of its line. */
  skipValue(): void {
    let depth = 0;
    for (; this.#at < this.#text.length; this.#step()) {
      const c = this.#text[this.#at] ?? '';
      if (c === '"' || c === "'") this.#skipString(c);
      else if (c === '[' || c === '{') depth += 1;
      else if (c === ']' || c === '}') depth -= 1;
      else if (c === '#') this.#to('\n');
      if (this.#text[this.#at] === '\n' && depth === 0) return;
    }
  }

  skipLine(): void {
    this.#to('\n');
  }

  #quoted(quote: string): string {
    const from = this.#at + 1;
    for (
      this.#at = from;
      this.#at < this.#text.length && this.#text[this.#at] !== quote;
      this.#at += 1
    ) {
      if (quote === '"' && this.#text[this.#at] === '\\') this.#at += 1;
    }
    const raw = this.#text.slice(from, this.#at);
    try {
      return quote === '"' ? String(JSON.parse(`"${raw}"`)) : raw;
    } catch {
      return raw;
    }
  }

  /** Leaves the position at the last quote of the string. */
  #skipString(quote: string): void {
    const triple = quote.repeat(3);
    const end = this.#text.startsWith(triple, this.#at) ? triple : quote;
    for (
      this.#at += end.length;
      this.#at < this.#text.length && !this.#text.startsWith(end, this.#at);
      this.#step()
    ) {
      if (quote === '"' && this.#text[this.#at] === '\\') this.#at += 1;
    }
    this.#at += end.length - 1;
    // Up to two quotes may precede the closing three.
    while (end === triple && this.#text[this.#at + 1] === quote) this.#at += 1;
  }

  #step(): void {
    if (this.#text[this.#at] === '\n') this.line += 1;
    this.#at += 1;
  }

  #to(c: string): void {
    while (this.#at < this.#text.length && this.#text[this.#at] !== c) this.#at += 1;
  }
}
