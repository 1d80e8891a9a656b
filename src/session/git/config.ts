// Parses a git configuration file exactly as git does (git-config(1), "Syntax"; git_parse_source in its config.c).
// git itself is never run for this, because it would run programs that a repository names. Pure.

export interface GitVariable {
  /** In lower case. */
  readonly section: string;
  /** As written; undefined if there is none. */
  readonly subsection: string | undefined;
  /** In lower case. */
  readonly name: string;
  /** Undefined for a name without `=`, which git treats as true. */
  readonly value: string | undefined;
}

/** `line`: the first line that git would reject; git does not work in a repository with such a file. */
export type GitConfig = { readonly variables: readonly GitVariable[] } | { readonly line: number };

export function parseGitConfig(text: string): GitConfig {
  const reader = new ConfigParser(text);
  return reader.variables() ? { variables: reader.found } : { line: reader.line };
}

/** In git's notation: `diff.lfs.textconv`. */
export function keyOf({ section, subsection, name }: GitVariable): string {
  return [section, ...(subsection === undefined ? [] : [subsection]), name].join('.');
}

/** End of file counts as end of line. */
const end = '\n';

class ConfigParser {
  readonly found: GitVariable[] = [];
  line = 1;
  readonly #text: string;
  #at = 0;
  /** The current section: `core`, or `remote.origin`. */
  #header = '';

  constructor(text: string) {
    this.#text = text.startsWith('\uFEFF') ? text.slice(1) : text;
  }

  /** False if git rejects the file. */
  variables(): boolean {
    // Git's strings end at NUL, whatever follows in the file.
    if (this.#text.includes('\0')) return false;
    while (!this.#isAtEnd()) {
      const char = this.#next();
      if (isSpace(char)) continue;
      if (char === '#' || char === ';') this.#skipLine();
      else if (char === '[') {
        const header = this.#readHeader();
        if (!header) return false;
        this.#header = header;
      } else if (!isLetter(char) || !this.#readVariable(char)) return false;
    }
    return true;
  }

  #isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  #next(): string {
    const char = this.#text[this.#at] ?? end;
    this.#at += 1;
    if (char === '\r' && this.#text[this.#at] === '\n') return this.#next();
    if (char === '\n' && this.#at <= this.#text.length) this.line += 1;
    return char;
  }

  #skipLine(): void {
    while (!this.#isAtEnd() && this.#next() !== '\n');
  }

  /** After `[`. A dot in a section name is an old notation for subsections. */
  #readHeader(): string | undefined {
    let section = '';
    while (!this.#isAtEnd()) {
      const char = this.#next();
      if (char === ']') return section;
      if (isSpace(char)) {
        const subsection = this.#readSubsection(char);
        return subsection === undefined ? undefined : `${section}.${subsection}`;
      }
      if (!isKeyChar(char) && char !== '.') return undefined;
      section += char.toLowerCase();
    }
    return undefined;
  }

  #readSubsection(blank: string): string | undefined {
    let char = blank;
    while (isSpace(char)) {
      if (char === '\n') return undefined;
      char = this.#next();
    }
    if (char !== '"') return undefined;
    let text = '';
    for (char = this.#next(); char !== '"'; char = this.#next()) {
      if (char === '\\') char = this.#next();
      if (char === '\n') return undefined;
      text += char;
    }
    return this.#next() === ']' ? text : undefined;
  }

  #readVariable(first: string): boolean {
    let name = first;
    let char = this.#next();
    for (; isKeyChar(char); char = this.#next()) name += char;
    while (char === ' ' || char === '\t') char = this.#next();
    if (char !== '\n' && char !== '=') return false;
    const value = char === '=' ? this.#readValue() : undefined;
    if (char === '=' && value === undefined) return false;
    const at = this.#header.indexOf('.');
    this.found.push({
      section: at < 0 ? this.#header : this.#header.slice(0, at),
      subsection: at < 0 ? undefined : this.#header.slice(at + 1),
      name: name.toLowerCase(),
      value,
    });
    return true;
  }

  /** Trims whitespace at both ends. Inner whitespace is kept; git before 2.45 turns it into spaces. */
  #readValue(): string | undefined {
    let value = '';
    let blanks = '';
    let isQuoted = false;
    for (let char = this.#next(); ; char = this.#next()) {
      if (char === '\n') return isQuoted ? undefined : value;
      if (!isQuoted && isSpace(char)) {
        if (value !== '') blanks += char;
        continue;
      }
      if (!isQuoted && (char === '#' || char === ';')) {
        this.#skipLine();
        return value;
      }
      value += blanks;
      blanks = '';
      if (char === '"') isQuoted = !isQuoted;
      else if (char !== '\\') value += char;
      else {
        const escaped = escapes[this.#next()];
        if (escaped === undefined) return undefined;
        value += escaped;
      }
    }
  }
}

/** Escapes after a backslash. At the end of a line, the value continues on the next line. */
const escapes: Readonly<Record<string, string>> = {
  '\n': '',
  t: '\t',
  b: '\b',
  n: '\n',
  '\\': '\\',
  '"': '"',
};

function isSpace(char: string): boolean {
  return char === ' ' || char === '\t' || char === '\n' || char === '\r';
}

function isLetter(char: string): boolean {
  return /^[A-Za-z]$/.test(char);
}

function isKeyChar(char: string): boolean {
  return /^[A-Za-z0-9-]$/.test(char);
}
