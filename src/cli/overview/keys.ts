// Reads keys from what a terminal sends. Pure. Source of the sequences: xterm's ctlseqs, "PC-Style Function Keys" and
// "Bracketed Paste Mode".

export type Key =
  /** A character that was typed. */
  | { readonly kind: 'text'; readonly text: string }
  /** Several characters at once: never commands. */
  | { readonly kind: 'paste'; readonly text: string }
  | { readonly kind: 'named'; readonly name: KeyName };

export type KeyName =
  | 'enter'
  | 'escape'
  | 'tab'
  | 'backtab'
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'home'
  | 'end'
  | 'pageup'
  | 'pagedown'
  | 'delete'
  | 'backspace'
  | 'ctrl-c'
  | 'ctrl-d'
  | 'ctrl-l'
  | 'ctrl-u'
  | 'ctrl-w'
  | 'ctrl-z';

export interface ParsedKeys {
  readonly keys: readonly Key[];
  /** The begin of a sequence whose end may come with the next bytes. */
  readonly rest: string;
}

const controls: Readonly<Record<string, KeyName>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\u007f': 'backspace',
  '\b': 'backspace',
  '\u0003': 'ctrl-c',
  '\u0004': 'ctrl-d',
  '\u000c': 'ctrl-l',
  '\u0015': 'ctrl-u',
  '\u0017': 'ctrl-w',
  '\u001a': 'ctrl-z',
};
const letters: Readonly<Record<string, KeyName>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  Z: 'backtab',
};
const numbers: Readonly<Record<string, KeyName>> = {
  '1': 'home',
  '3': 'delete',
  '4': 'end',
  '5': 'pageup',
  '6': 'pagedown',
  '7': 'home',
  '8': 'end',
};
const pasteBegin = '\u001b[200~';
const pasteEnd = '\u001b[201~';
/** A paste without an end must not hold back keys for ever. */
const pasteMax = 1024 * 1024;

/** Nobody types so many different characters between two reads, but a terminal without bracketed paste sends them. */
const typedMax = 4;

/** `isLast`: nothing follows for a while, so that a lone escape is the key. */
export function parseKeys(input: string, isLast: boolean): ParsedKeys {
  if (isUnmarkedPaste(input)) return { keys: [{ kind: 'paste', text: input }], rest: '' };
  const keys: Key[] = [];
  let rest = input;
  while (rest !== '') {
    const step = nextKey(rest, isLast);
    if (!step) break;
    if (step.key) keys.push(step.key);
    rest = rest.slice(step.length);
  }
  return { keys, rest };
}

/** A key that is held down repeats one character. */
function isUnmarkedPaste(input: string): boolean {
  if (input.includes('\u001b')) return false;
  const typed = [...input].filter((character) => character >= ' ' && character !== '\u007f');
  return typed.length > typedMax && new Set(typed).size > 1;
}

interface Step {
  /** Undefined for a sequence without a meaning here. */
  readonly key?: Key;
  readonly length: number;
}

/** Undefined if more is needed. */
function nextKey(input: string, isLast: boolean): Step | undefined {
  if (input.startsWith(pasteBegin)) return paste(input);
  if (input.startsWith('\u001b')) return sequence(input, isLast);
  const [character = ''] = input;
  const name = controls[character];
  if (name) return { key: { kind: 'named', name }, length: 1 };
  // Other control characters have no meaning.
  if (character < ' ') return { length: 1 };
  return { key: { kind: 'text', text: character }, length: character.length };
}

function paste(input: string): Step | undefined {
  const end = input.indexOf(pasteEnd);
  if (end < 0 && input.length < pasteMax) return undefined;
  const text = input.slice(pasteBegin.length, end < 0 ? undefined : end);
  return { key: { kind: 'paste', text }, length: end < 0 ? input.length : end + pasteEnd.length };
}

function sequence(input: string, isLast: boolean): Step | undefined {
  const found = /^\u001b(?:\[([0-9;<=>?]*)([ -/]*)([@-~])|O([@-~]))/.exec(input);
  if (found) {
    const [whole, parameters = '', , final = '', application = ''] = found;
    const name =
      final === '~' ? numbers[parameters.split(';')[0] ?? ''] : letters[final || application];
    return name ? { key: { kind: 'named', name }, length: whole.length } : { length: whole.length };
  }
  const isBegin = /^\u001b(?:\[[0-9;<=>?]*[ -/]*|O)?$/.test(input);
  if (isBegin && !isLast) return undefined;
  return { key: { kind: 'named', name: 'escape' }, length: 1 };
}
