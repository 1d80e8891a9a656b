// Parses a configuration file into values by key. All problems are reported at once, with file, line and key. Pure.
import { isUtf8 } from 'node:buffer';
import { parse, TomlError } from 'smol-toml';
import { CoiError } from '../errors.ts';
import { plainOrQuoted } from '../names.ts';
import { keyLines, lineOf } from './key-lines.ts';
import { type KeyName, keyNames, keyOf, type PartialSettings } from './keys/table.ts';
import { isTable, type PathBases, ValueProblem } from './keys/values.ts';
import { movedKeys } from './migrate.ts';
import { nearest } from './suggest.ts';

export const configMaxBytes = 2 ** 20;
const problemsMax = 20;

export interface ConfigSource {
  readonly path: string;
  readonly kind: 'config' | 'profile';
  readonly trusted: boolean;
  readonly values: PartialSettings;
  readonly line: (key: KeyName) => number;
  /** Only in profiles, as is `context`. */
  readonly inherits: string | undefined;
  readonly context: string | undefined;
}

interface Problem {
  readonly path: string;
  readonly text: string;
  readonly hint?: string | undefined;
}

/** Top-level keys of a profile, with their location in a configuration. */
const profileTop: Readonly<Record<string, string>> = {
  environment: 'defaults.environment',
  env_commands: 'defaults.env_commands',
  env_command_timeout: 'defaults.env_command_timeout',
  forward_env: 'defaults.forward_env',
  model: 'defaults.model',
  mounts: 'mounts.default',
};
const configTop: Readonly<Record<string, string>> = { mounts: 'mounts.default' };

/** Reads a file's content. Throws `config-invalid`. */
export function parseConfig(file: {
  path: string;
  bytes: Uint8Array;
  kind: 'config' | 'profile';
  trusted: boolean;
  bases: PathBases;
}): ConfigSource {
  const text = decodeText(file.path, file.bytes);
  const table = parseToml(file.path, text);
  const lines = keyLines(text);
  const moved = movedKeys(table, file.kind);
  const problems: Problem[] = moved.map(({ key, text: now }) => ({
    path: key,
    text: now,
    hint: 'Run `coi migrate` to move files and keys of older versions.',
  }));
  const reading = new ConfigReader(file.kind, file.bases, problems);
  reading.table(table, '', '');
  if (problems.length > 0) throw configError(file.path, lines, problems);
  return {
    path: file.path,
    kind: file.kind,
    trusted: file.trusted,
    values: reading.values as PartialSettings,
    line: (key) => lineOf(lines, reading.filePaths.get(key) ?? key),
    inherits: reading.inherits,
    context: reading.context,
  };
}

class ConfigReader {
  readonly values: Partial<Record<KeyName, unknown>> = {};
  /** The path of a key in the file, which can differ from its name. */
  readonly filePaths = new Map<KeyName, string>();
  inherits: string | undefined;
  context: string | undefined;
  readonly #kind: 'config' | 'profile';
  readonly #bases: PathBases;
  readonly #problems: Problem[];

  constructor(kind: 'config' | 'profile', bases: PathBases, problems: Problem[]) {
    this.#kind = kind;
    this.#bases = bases;
    this.#problems = problems;
  }

  /** `at` is the path in the file, `name` the path in the table of keys. */
  table(table: Readonly<Record<string, unknown>>, at: string, name: string): void {
    for (const [part, value] of Object.entries(table)) {
      const path = at === '' ? part : `${at}.${part}`;
      const key = this.#keyFor(name === '' ? part : `${name}.${part}`, at === '', value);
      if (at === '' && this.#kind === 'profile' && (part === 'inherits' || part === 'context'))
        this.#own(part, value);
      else if (isKey(key)) this.#value(key, value, path);
      else if (isSection(key) && !(this.#kind === 'profile' && key === 'defaults'))
        this.#section(key, value, path);
      else this.#unknown(key, path);
    }
  }

  #keyFor(name: string, top: boolean, value: unknown): string {
    const moved = top ? (this.#kind === 'profile' ? profileTop : configTop)[name] : undefined;
    // `[[mounts]]` is the list itself, `[mounts]` the section that contains it.
    return moved !== undefined && !(name === 'mounts' && isTable(value)) ? moved : name;
  }

  #section(key: string, value: unknown, path: string): void {
    if (isTable(value)) this.table(value, path, key);
    else
      this.#problems.push({
        path,
        text: `is a section and must be written as [${plainOrQuoted(path)}]`,
      });
  }

  #value(key: KeyName, value: unknown, path: string): void {
    try {
      this.values[key] = keyOf(key).type.parse(value, this.#bases);
      this.filePaths.set(key, path);
    } catch (error) {
      if (!(error instanceof ValueProblem)) throw error;
      const suggested =
        error.wrongName === undefined ? undefined : nearest(error.wrongName, error.known);
      this.#problems.push({
        path: path + error.inner,
        text: error.message,
        hint: suggested && `Did you mean ${JSON.stringify(suggested)}?`,
      });
    }
  }

  #own(part: 'inherits' | 'context', value: unknown): void {
    if (typeof value !== 'string' || /[\u0000-\u001f]/.test(value))
      this.#problems.push({ path: part, text: 'must be a string' });
    else if (value !== '') this[part] = value;
  }

  #unknown(key: string, path: string): void {
    // A moved key is already reported.
    if (this.#problems.some((problem) => problem.path === path)) return;
    this.#problems.push({ path, text: 'is not a known key', hint: suggestion(key, this.#kind) });
  }
}

function isKey(name: string): name is KeyName {
  return (keyNames as readonly string[]).includes(name);
}

function isSection(name: string): boolean {
  return keyNames.some((key) => key.startsWith(`${name}.`));
}

/** First a similar name in the same section, then the same name elsewhere, then any similar name. */
function suggestion(key: string, kind: 'config' | 'profile'): string | undefined {
  const cut = key.lastIndexOf('.');
  const [section, last] = [key.slice(0, cut + 1), key.slice(cut + 1)];
  const known = [...keyNames, ...sections()];
  const top = kind === 'profile' ? Object.keys(profileTop) : [];
  const neighbours = [
    ...known
      .filter((name) => name.startsWith(section))
      .map((name) => name.slice(section.length).split('.')[0] ?? ''),
    ...top,
  ];
  const near = nearest(last, neighbours);
  const found =
    near === undefined
      ? (known.find((name) => name.endsWith(`.${last}`)) ?? nearest(key, known))
      : section + near;
  if (kind === 'profile' && section === 'defaults.')
    return `In a profile, ${plainOrQuoted(last)} is a top-level key.`;
  return found === undefined
    ? 'Run `coi config schema` for a list of keys.'
    : `Did you mean ${plainOrQuoted(found)}?`;
}

function sections(): string[] {
  return [
    ...new Set(
      keyNames.flatMap((key) =>
        key.split('.').map((_, index, parts) => parts.slice(0, index).join('.')),
      ),
    ),
  ].filter((name) => name !== '');
}

function decodeText(path: string, bytes: Uint8Array): string {
  if (bytes.includes(0))
    throw new CoiError('config-invalid', `${path} is not a text file: it contains a NUL byte`);
  if (!isUtf8(bytes)) throw new CoiError('config-invalid', `${path} is not valid UTF-8`);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString('utf8')
    .replace(/^\ufeff/, '');
}

function parseToml(path: string, text: string): Readonly<Record<string, unknown>> {
  try {
    return parse(text);
  } catch (error) {
    const [line, message] =
      // The first line is the parser's message; the file's text follows.
      error instanceof TomlError
        ? [error.line, error.message.split('\n')[0]]
        : [1, 'cannot be read'];
    throw new CoiError('config-invalid', `${path}:${line}: ${message}`, { cause: error });
  }
}

function configError(
  path: string,
  lines: ReadonlyMap<string, number>,
  problems: readonly Problem[],
): CoiError {
  const messages = problems
    .slice(0, problemsMax)
    .map(({ path: key, text }) => `${path}:${lineOf(lines, key)}: ${plainOrQuoted(key)} ${text}`);
  if (problems.length > problemsMax) messages.push(`and ${problems.length - problemsMax} more`);
  return new CoiError('config-invalid', messages.join('\n'), {
    hint: problems.find(({ hint }) => hint !== undefined)?.hint,
  });
}
