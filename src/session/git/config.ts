// Reads the text of a git configuration exactly as git does (git-config(1), "Syntax"; git_parse_source in its config.c).
// Never by asking git, which would run what a repository names. Pure.

export interface GitVariable {
  /** In lower case. */
  readonly section: string;
  /** As it is written; undefined where there is none. */
  readonly subsection: string | undefined;
  /** In lower case. */
  readonly name: string;
  /** Undefined for a name without `=`, which git takes for true. */
  readonly value: string | undefined;
}

/** `line`: the first one that git would refuse; git does nothing in a repository with such a file. */
export type GitConfig = { readonly variables: readonly GitVariable[] } | { readonly line: number };

export function parseGitConfig(text: string): GitConfig {
  const reader = new Reader(text);
  return reader.variables() ? { variables: reader.found } : { line: reader.line };
}

/** As git and its messages write it: `diff.lfs.textconv`. */
export function keyOf({ section, subsection, name }: GitVariable): string {
  return [section, ...(subsection === undefined ? [] : [subsection]), name].join('.');
}

/** The end of the file reads as the end of a line. */
const end = '\n';

class Reader {
  readonly found: GitVariable[] = [];
  line = 1;
  readonly #text: string;
  #at = 0;
  /** The header that holds for what follows: `core`, or `remote.origin`. */
  #header = '';

  constructor(text: string) {
    this.#text = text.startsWith('\uFEFF') ? text.slice(1) : text;
  }

  /** False where git refuses the file. */
  variables(): boolean {
    // Git's strings end there, whatever comes behind it in the file.
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

  /** Behind `[`. Sections with a dot are an old way to write subsections. */
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

  /** Blanks at its ends do not count; those in it stay what they are, where git before 2.45 makes them spaces. */
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

/** What stands behind a backslash in a value. At the end of a line, the value goes on in the next one. */
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
