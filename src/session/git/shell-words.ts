// What the text of a command may name, without running any of it: more than a shell would find, so that nothing is missed.
// Pure.

export interface Piece {
  readonly text: string;
  /** The piece before it, where only blanks or `=` stand between. */
  readonly before: string | undefined;
  /** A command begins with it. */
  readonly first: boolean;
  /** What the command begins with. */
  readonly command: string;
  /** It stands behind `=`. */
  readonly assigned: boolean;
  /** Something that only the shell knows stands right before it: a variable, what a command prints. */
  readonly openStart: boolean;
  /** Or right behind it; patterns count as well. */
  readonly openEnd: boolean;
}

const token =
  /(?<blank>[\s]+)|(?<open>\$\{|\$\()|(?<variable>\$(?:[A-Za-z_]\w*|[0-9@#?$!*-])|%[A-Za-z]|[*?[\]])|(?<close>[)}`])|(?<list>[;|&<>({!])|(?<assign>=)|(?<part>[,:])|(?<text>[^\s$%*?[\])}`;|&<>({!=,:]+|.)/gsu;

/** Texts inside of texts (`sh -c './x'`) are read as if they stood there themselves. */
export function commandPieces(command: string): Piece[] {
  const pieces: Piece[] = [];
  const blank = { before: undefined, first: true, command: '' };
  let around: Pick<Piece, 'before' | 'first' | 'command'> = blank;
  let [text, assigned, openStart] = ['', false, false];
  let inTicks = false;
  // What stood around a part in brackets goes on behind it.
  const outer: (typeof around)[] = [];
  const finish = (openEnd: boolean) => {
    if (text !== '') {
      const own = { ...around, command: around.first ? text : around.command };
      pieces.push({ ...own, text, assigned, openStart, openEnd });
      around = { before: text, first: false, command: own.command };
    }
    [text, assigned, openStart] = ['', false, false];
  };
  for (const { groups = {} } of withoutQuotes(command).matchAll(token)) {
    const { text: more, part, assign, blank: space, variable, close, list } = groups;
    if (more !== undefined) text += more;
    else if (variable !== undefined || close !== undefined) {
      if (close === '`') inTicks = !inTicks;
      finish(close === undefined || (close === '`' && inTicks));
      openStart = true;
      if (close === ')' || close === '}') around = outer.pop() ?? around;
    } else if (part !== undefined) {
      // All parts of a list are what the name before `=` stands for.
      const [isAssigned, { before }] = [assigned, around];
      finish(false);
      assigned = isAssigned;
      if (isAssigned) around = { ...around, before };
    } else {
      const isOpen = groups['open'] !== undefined;
      finish(list === '{' || isOpen);
      assigned = assign !== undefined;
      if (isOpen || list === '(' || list === '{') outer.push(around);
      if (assign === undefined && space === undefined) around = blank;
    }
  }
  finish(false);
  return pieces;
}

function withoutQuotes(command: string): string {
  return command.replaceAll(/\\\n/g, '').replaceAll(/["'\\]/g, '');
}

const depthMax = 8;

/** Words that pieces cut up: as a shell makes them of quotes and backslashes, and those in such words. */
export function quotedWords(command: string, depth = 0): string[] {
  const words = wordsOf(command).filter((word) => word !== command && /[^\w./-]/.test(word));
  if (depth >= depthMax) return words;
  return [...new Set(words.flatMap((word) => [word, ...quotedWords(word, depth + 1)]))];
}

function wordsOf(command: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  const parts =
    /'(?<single>[^']*)'|"(?<double>(?:[^"\\]|\\[\s\S])*)"|\\(?<escaped>[\s\S])|(?<end>[\s;|&<>()]+)|(?<plain>[\s\S])/g;
  for (const { groups = {} } of command.matchAll(parts)) {
    if (groups['end'] === undefined) {
      const double = groups['double']?.replaceAll(/\\([\\"$`\n])/g, '$1');
      word =
        (word ?? '') + (groups['single'] ?? double ?? groups['escaped'] ?? groups['plain'] ?? '');
    } else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  return word === undefined ? words : [...words, word];
}
