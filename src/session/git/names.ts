// What a value of git's configuration may name in a workspace: itself as a path, and the words of it as a command. It names
// more than git would find, so that nothing is missed; what of it is there is looked at elsewhere. Pure.
import { type GitVariable, keyOf } from './config.ts';
import { pathMax, withoutEnd } from './git-file.ts';
import { isCommand, isPath, namesNothing } from './keys.ts';
import { commandPieces, type Piece, quotedWords } from './shell-words.ts';

export interface Candidate {
  /** Relative to where git runs it, absolute, or below the user's home (`~/`). */
  readonly path: string;
  /** It counts where it is a directory as well: all that is in it is guarded then. */
  readonly directory: boolean;
  /** It counts where nothing is there yet. */
  readonly missing: boolean;
  /** It is what the key is about: where it cannot be guarded, the session cannot start. */
  readonly sure: boolean;
}

/** What is named by a variable that is no include. */
export function candidatesOf(variable: GitVariable): Candidate[] {
  const { value } = variable;
  const address = addressOf(variable);
  if (address !== undefined) return distinct(wordCandidates(address, 'command'));
  if (value === undefined || value === '' || namesNothing(variable)) return [];
  // Git before 2.45 reads a space where another blank stands without quotes.
  const values = [...new Set([value, value.replaceAll(/[\t\r]/g, ' ')])];
  if (isPath(variable)) return values.flatMap((one) => pathCandidate(one));
  return distinct(values.flatMap((one) => anyCandidates(variable, one)));
}

/** The program in an address of the kind `ext::./program %S`; undefined for what is none. */
function addressOf(variable: GitVariable): string | undefined {
  const key = keyOf(variable);
  if (!/^(?:remote|submodule|url)\./.test(key)) return undefined;
  const address = variable.section === 'url' ? variable.subsection : variable.value;
  const isAddress = variable.section === 'url' || /url$/.test(variable.name);
  return isAddress ? /(?:^|::)ext::(.*)$/s.exec(address ?? '')?.[1] : undefined;
}

/** How git writes that a path may be missing, and that it is where git is installed. */
function pathCandidate(value: string): Candidate[] {
  const path = value.replace(/^:\(optional\)/, '');
  if (path === '' || path.startsWith('%(prefix)/')) return [];
  return [{ path, directory: true, missing: true, sure: true }];
}

function anyCandidates(variable: GitVariable, value: string): Candidate[] {
  const isRun = isCommand(variable);
  // Of other aliases the words are names of commands, branches and files to git itself.
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

/** What is known of the words: a command is run, arguments are git's own, of other texts nothing is known. */
type Reading = 'command' | 'argument' | 'text';

function wordCandidates(text: string, reading: Reading): Candidate[] {
  const named: Candidate[] = [];
  const entered: string[] = [];
  for (const piece of commandPieces(text)) {
    if (enters.test(piece.before ?? ''))
      entered.push(...(piece.openStart ? endingsOf(piece.text) : [piece.text]));
    for (const one of pieceCandidates(piece, reading)) {
      // From there on, names are seen from another directory, if the shell comes to it.
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
  // Of what git looks at itself, only what a setting names may be run.
  const isPlain = (reading === 'argument' || piece.command === 'git') && !piece.assigned;
  if (piece.before === '-m' && /^python[\d.]*$/.test(piece.command)) return moduleOf(piece.text);
  const flagged = behindFlag(piece.text);
  return [piece.text, ...flagged].flatMap((text): Candidate[] => {
    const isFlagged = flagged.includes(text) && hasSlash(text);
    const directory = !isPlain && (isFlagged || runsDirectory(piece));
    if (piece.openStart || /^~[^/]/.test(text)) return endings(text, piece.openEnd, directory);
    // Only the directory is known in which it lies.
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
 * A program runs what is in a directory of that name: a path of programs, a package, or one of which the last part is
 * left open. Others look at what is in it, as a directory of sources that is to be checked.
 */
function runsDirectory({ before = '', assigned, first, openEnd, command }: Piece): boolean {
  if (assigned && isDirectoryName(before)) return true;
  if (/^(?:nodejs|node|python[\d.]*|pypy\d*)$/.test(before)) return true;
  return openEnd && (first || assigned || isReadBy({ before, command }) || command === 'for');
}

function isReadBy({ before = '', command }: Pick<Piece, 'before' | 'command'>): boolean {
  return before === '.' ? command === '.' : isRead.test(before);
}

/** What runs the file that is named next, which may have no slash then. */
const isRead =
  /^(?:.*\/)?(?:sh|bash|dash|zsh|ksh|node|nodejs|deno|bun|python[\d.]*|perl|ruby|php|lua|exec|env|nohup|time|xargs|source)$/;

/** `python -m tools.check`: a directory with that in it, or a file. */
function moduleOf(name: string): Candidate[] {
  const path = name.replaceAll('.', '/');
  const [top = ''] = path.split('/');
  return [
    { ...asFile, path: top, directory: true },
    { ...asFile, path: `${path}.py` },
  ];
}

/** A program without a slash is looked for in PATH, and not where git runs. */
function isInPath({ first, assigned }: Piece, path: string, reading: Reading): boolean {
  return reading === 'command' && first && !assigned && !path.includes('/');
}

/** `-I./x`, `@x`, and what stands behind `:-` in `${a:-./x}`. */
function behindFlag(text: string): string[] {
  const flag = /^[-+@]+[A-Za-z]?/.exec(text)?.[0] ?? '';
  return flag === '' ? [] : [text.slice(flag.length), text.replace(/^[-+@]+/, '')];
}

/** Nothing lies so deep that only the end of its path is known. */
const endingsMax = 64;

/** What a path may lead to whose beginning only the shell knows. */
function endings(text: string, openEnd: boolean, directory: boolean): Candidate[] {
  const path = openEnd ? text.slice(0, text.lastIndexOf('/') + 1) : text;
  return endingsOf(path).map((ending, index) => ({
    ...asFile,
    path: ending,
    directory: directory && index === 0,
  }));
}

/** The longest first. */
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

/** Nobody writes a branch or an address like that. */
function isPlainPath(path: string): boolean {
  return /^(?:\.{1,2}|~)?\//.test(path) && isWritten(path);
}

/** As it is, and not put together by a shell. */
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
