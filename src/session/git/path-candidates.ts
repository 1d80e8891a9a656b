// Paths that a value of git's configuration may name: the value as a path, and its words as a command. Returns more than git
// would use, so that nothing is missed; whether they exist is checked elsewhere. Pure.
import { type GitVariable, keyOf } from './config.ts';
import { isCommand, isPath, namesNothing } from './config-keys.ts';
import { pathMax, withoutEnd } from './git-file.ts';
import { commandPieces, type Piece, quotedWords } from './shell-words.ts';

export interface Candidate {
  /** Relative to where git runs it, absolute, or below the user's home (`~/`). */
  readonly path: string;
  /** Also counts if it is a directory; then everything in it is guarded. */
  readonly directory: boolean;
  /** Also counts if it does not exist yet. */
  readonly missing: boolean;
  /** The key is definitely about this path: if it cannot be guarded, the session cannot start. */
  readonly sure: boolean;
}

/** The candidates of a variable that is not an include. */
export function candidatesOf(variable: GitVariable): Candidate[] {
  const { value } = variable;
  const address = addressOf(variable);
  if (address !== undefined) return distinct(wordCandidates(address, 'command'));
  if (value === undefined || value === '' || namesNothing(variable)) return [];
  // Git before 2.45 reads other unquoted whitespace as a space.
  const values = [...new Set([value, value.replaceAll(/[\t\r]/g, ' ')])];
  if (isPath(variable)) return values.flatMap((one) => pathCandidate(one));
  return distinct(values.flatMap((one) => anyCandidates(variable, one)));
}

/** The program in a URL such as `ext::./program %S`; undefined for other URLs. */
function addressOf(variable: GitVariable): string | undefined {
  const key = keyOf(variable);
  if (!/^(?:remote|submodule|url)\./.test(key)) return undefined;
  const address = variable.section === 'url' ? variable.subsection : variable.value;
  const isAddress = variable.section === 'url' || /url$/.test(variable.name);
  return isAddress ? /(?:^|::)ext::(.*)$/s.exec(address ?? '')?.[1] : undefined;
}

/** Handles git's prefixes for an optional path and for git's installation directory. */
function pathCandidate(value: string): Candidate[] {
  const path = value.replace(/^:\(optional\)/, '');
  if (path === '' || path.startsWith('%(prefix)/')) return [];
  return [{ path, directory: true, missing: true, sure: true }];
}

function anyCandidates(variable: GitVariable, value: string): Candidate[] {
  const isRun = isCommand(variable);
  // In other aliases the words are git commands, branches and files.
  if (variable.section === 'alias' && !/^\s*!/.test(value))
    return wordCandidates(value, 'argument');
  const command = value.replace(/^\s*!/, '');
  const itself: Candidate = {
    path: command,
    directory: isWritten(command) && (hasSlash(command) || isDirectoryName(variable.name)),
    missing:
      isPlainPath(command) ||
      (isRun && hasSlash(command) && isWritten(command) && !command.includes('=')),
    sure: false,
  };
  const words = wordCandidates(command, isRun ? 'command' : 'text');
  return isRun && !value.includes('/') && !isDirectoryName(variable.name)
    ? words
    : [itself, ...words];
}

/** The meaning of the words: a command that git runs, arguments of git, or unknown text. */
type Reading = 'command' | 'argument' | 'text';

function wordCandidates(text: string, reading: Reading): Candidate[] {
  const named: Candidate[] = [];
  const entered: string[] = [];
  for (const piece of commandPieces(text)) {
    if (enters.test(piece.before ?? ''))
      entered.push(...(piece.openStart ? endingsOf(piece.text) : [piece.text]));
    for (const one of pieceCandidates(piece, reading)) {
      // After a `cd`, relative names start at another directory, if the shell gets there.
      const places = isRelative(one.path) ? entered.slice(0, enteredMax) : [];
      named.push(places.length > 0 ? { ...one, missing: false } : one);
      const missing = one.missing && piece.first;
      named.push(...places.map((place) => ({ ...one, missing, path: below(place, one.path) })));
    }
  }
  const words = quotedWords(text);
  const spaced = words.filter((word) => entered.length > 0 && /\s/.test(word));
  for (const place of ['', ...entered, ...spaced].slice(0, enteredMax))
    for (const word of words.filter((one) => place === '' || isRelative(one))) {
      const missing = place === '' && reading !== 'argument' && isPlainPath(word);
      named.push({ ...asFile, missing, path: place === '' ? word : below(place, word) });
    }
  return named;
}

function isRelative(path: string): boolean {
  return !/^[~/]/.test(path);
}

function below(directory: string, path: string): string {
  return `${withoutEnd(directory, '/')}/${path}`;
}

const asFile = { directory: false, missing: false, sure: false };
const enters = /^(?:cd|pushd|-C|--(?:prefix|cwd|dir|directory|cd|chdir))$/;
const enteredMax = 8;

function pieceCandidates(piece: Piece, reading: Reading): Candidate[] {
  // Among git's own arguments, only values of settings may be run.
  const isPlain = (reading === 'argument' || piece.command === 'git') && !piece.assigned;
  if (piece.before === '-m' && /^python[\d.]*$/.test(piece.command)) return moduleOf(piece.text);
  const flagged = behindFlag(piece.text);
  return [piece.text, ...flagged].flatMap((text): Candidate[] => {
    const isFlagged = flagged.includes(text) && hasSlash(text);
    const directory = !isPlain && (isFlagged || runsDirectory(piece));
    if (piece.openStart || /^~[^/]/.test(text)) return endings(text, piece.openEnd, directory);
    // Only its directory is known.
    const path = piece.openEnd ? text.slice(0, text.lastIndexOf('/') + 1) : text;
    if (path === '' || path.startsWith('-') || isInPath(piece, path, reading)) return [];
    const isRun = reading === 'command' && text === piece.text && isWritten(path);
    const isFirst = isRun && ((piece.first && hasSlash(path)) || isReadBy(piece));
    const isNamed = piece.first || piece.assigned || isFlagged || reading === 'text';
    const missing = isFirst || (isNamed && isPlainPath(path) && !isPlain && !piece.openEnd);
    return [{ path, directory, missing, sure: false }];
  });
}

/**
 * Whether a program runs files in that directory: a search path, a package, or a path with an open end. Other programs only
 * read it, for example a linter with a source directory.
 */
function runsDirectory({ before = '', assigned, first, openEnd, command }: Piece): boolean {
  if (assigned && isDirectoryName(before)) return true;
  if (/^(?:nodejs|node|python[\d.]*|pypy\d*)$/.test(before)) return true;
  return openEnd && (first || assigned || isReadBy({ before, command }) || command === 'for');
}

function isReadBy({ before = '', command }: Pick<Piece, 'before' | 'command'>): boolean {
  return before === '.' ? command === '.' : isRead.test(before);
}

/** Programs that run the file in the next argument, which may then have no slash. */
const isRead =
  /^(?:.*\/)?(?:sh|bash|dash|zsh|ksh|node|nodejs|deno|bun|python[\d.]*|perl|ruby|php|lua|exec|env|nohup|time|xargs|source)$/;

/** `python -m tools.check`: a package directory or a file. */
function moduleOf(name: string): Candidate[] {
  const path = name.replaceAll('.', '/');
  const [top = ''] = path.split('/');
  return [
    { ...asFile, path: top, directory: true },
    { ...asFile, path: `${path}.py` },
  ];
}

/** A program without a slash is searched in PATH, not in the current directory. */
function isInPath({ first, assigned }: Piece, path: string, reading: Reading): boolean {
  return reading === 'command' && first && !assigned && !path.includes('/');
}

/** The path in `-I./x` and `@x`, and after `:-` in `${a:-./x}`. */
function behindFlag(text: string): string[] {
  const flag = /^[-+@]+[A-Za-z]?/.exec(text)?.[0] ?? '';
  return flag === '' ? [] : [text.slice(flag.length), text.replace(/^[-+@]+/, '')];
}

/** Limit for the depth of paths of which only the end is known. */
const endingsMax = 64;

/** Possible paths if only the shell knows the beginning. */
function endings(text: string, openEnd: boolean, directory: boolean): Candidate[] {
  const path = openEnd ? text.slice(0, text.lastIndexOf('/') + 1) : text;
  return endingsOf(path).map((ending, index) => ({
    ...asFile,
    path: ending,
    directory: directory && index === 0,
  }));
}

/** Longest first. */
function endingsOf(path: string): string[] {
  const parts = path.slice(-pathMax).replace(/^\/+/, '').split('/').slice(-endingsMax);
  return parts.map((_, index) => parts.slice(index).join('/')).filter((ending) => ending !== '');
}

function isDirectoryName(name: string): boolean {
  return /(?:path|dir|directory|directories|hooks|folder|root)$/i.test(name);
}

function hasSlash(path: string): boolean {
  return withoutEnd(path, '/').includes('/') || path === '.' || path === '..';
}

/** A notation that is not used for branches or URLs. */
function isPlainPath(path: string): boolean {
  return /^(?:\.{1,2}|~)?\//.test(path) && isWritten(path);
}

/** Literal, without shell syntax. */
function isWritten(path: string): boolean {
  return !/[\s$%*?[\]{}()<>;|&`"'\\]/.test(path);
}

function distinct(candidates: readonly Candidate[]): Candidate[] {
  const byPath = new Map<string, Candidate>();
  for (const one of candidates) {
    const known = byPath.get(one.path);
    byPath.set(one.path, {
      path: one.path,
      directory: one.directory || (known?.directory ?? false),
      missing: one.missing || (known?.missing ?? false),
      sure: one.sure || (known?.sure ?? false),
    });
  }
  return [...byPath.values()];
}
