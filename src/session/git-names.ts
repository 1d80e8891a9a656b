// What a value of git's configuration may name in a workspace: itself as a path, and the words of it as a command. It names
// more than git would find, so that nothing is missed; what of it is there is looked at elsewhere. Pure.
import { type GitVariable, keyOf } from './git-config.ts';
import { isCommand, isPath, namesNothing } from './git-keys.ts';
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
    directory: hasSlash(command) || isDirectoryName(variable.name),
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
  const isArgument = reading === 'argument';
  const quoted = quotedWords(text).map(
    (path): Candidate => ({
      path,
      directory: hasSlash(path) && !isArgument,
      missing: isPlainPath(path) && !isArgument,
      sure: false,
    }),
  );
  return [...commandPieces(text).flatMap((piece) => pieceCandidates(piece, reading)), ...quoted];
}

function pieceCandidates(piece: Piece, reading: Reading): Candidate[] {
  // Of what git looks at itself, only what a setting names may be run.
  const isPlain = (reading === 'argument' || piece.command === 'git') && !piece.assigned;
  if (piece.before === '-m' && /^python[\d.]*$/.test(piece.command)) return moduleOf(piece.text);
  return [piece.text, ...behindFlag(piece.text)].flatMap((text): Candidate[] => {
    if (piece.openStart || /^~[^/]/.test(text)) return endings(text, piece.openEnd);
    // Only the directory is known in which it lies.
    const path = piece.openEnd ? text.slice(0, text.lastIndexOf('/') + 1) : text;
    if (path === '' || path.startsWith('-') || isInPath(piece, path, reading)) return [];
    const isDirectory = !isPlain && (hasSlash(path) || (piece.openEnd && path !== '/'));
    const isRun = reading === 'command' && text === piece.text && isWritten(path);
    const isFirst = isRun && ((piece.first && hasSlash(path)) || isRead.test(piece.before ?? ''));
    return [
      {
        path,
        directory: isDirectory || entersDirectory(piece),
        missing: isFirst || (isPlainPath(path) && !isPlain),
        sure: false,
      },
    ];
  });
}

/** What runs the file that is named next, which may have no slash then. */
const isRead =
  /^(?:.*\/)?(?:sh|bash|dash|zsh|ksh|node|nodejs|deno|bun|python[\d.]*|perl|ruby|php|lua|exec|env|nohup|time|xargs|source|\.)$/;

/** `python -m tools.check`: a directory with that in it, or a file. */
function moduleOf(name: string): Candidate[] {
  const path = name.replaceAll('.', '/');
  const [top = ''] = path.split('/');
  const known = { missing: false, sure: false };
  return [
    { path: top, directory: true, ...known },
    { path: `${path}.py`, directory: false, ...known },
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

/** No path is longer. */
const pathMax = 4095;

/** What a path ends with whose beginning only the shell knows: that may lead to any directory. */
function endings(text: string, openEnd: boolean): Candidate[] {
  const path = openEnd ? text.slice(0, text.lastIndexOf('/') + 1) : text;
  const parts = path.slice(-pathMax).replace(/^\/+/, '').split('/');
  return parts.flatMap((_, index): Candidate[] => {
    const ending = parts.slice(index).join('/');
    if (ending === '') return [];
    return [{ path: ending, directory: index === 0, missing: false, sure: false }];
  });
}

/** A program takes a directory of that name, where the word says nothing about it. */
function entersDirectory({ before, assigned }: Piece): boolean {
  if (before === undefined) return false;
  if (assigned && isDirectoryName(before)) return true;
  return /^(?:cd|pushd|-C|--(?:prefix|cwd|dir|directory|cd|chdir)|node|nodejs|python[\d.]*|pypy\d*)$/.test(
    before,
  );
}

function isDirectoryName(name: string): boolean {
  return /(?:path|dir|directory|directories|hooks|folder|root)$/i.test(name);
}

function hasSlash(path: string): boolean {
  return path.replace(/\/+$/, '').includes('/') || path === '.' || path === '..';
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
