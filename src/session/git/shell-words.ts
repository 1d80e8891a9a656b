// Words and paths in a shell command, without running it. Returns more than a shell would use, so that nothing is missed.
// Pure.

export interface Piece {
  readonly text: string;
  /** The piece before it, if only whitespace or `=` is between them. */
  readonly before: string | undefined;
  /** It is the first word of a command. */
  readonly first: boolean;
  /** The first word of its command. */
  readonly command: string;
  /** It follows `=`. */
  readonly assigned: boolean;
  /** A shell expansion directly precedes it: a variable or a command substitution. */
  readonly openStart: boolean;
  /** A shell expansion or pattern directly follows it. */
  readonly openEnd: boolean;
}

const token =
  /(?<blank>[\s]+)|(?<open>\$\{|\$\()|(?<variable>\$(?:[A-Za-z_]\w*|[0-9@#?$!*-])|%[A-Za-z]|[*?[\]])|(?<close>[)}`])|(?<list>[;|&<>({!])|(?<assign>=)|(?<part>[,:])|(?<text>[^\s$%*?[\])}`;|&<>({!=,:]+|.)/gsu;

/** Nested commands (`sh -c './x'`) are read as if they were not quoted. */
export function commandPieces(command: string): Piece[] {
  const pieces: Piece[] = [];
  const blank = { before: undefined, first: true, command: '' };
  let around: Pick<Piece, 'before' | 'first' | 'command'> = blank;
  let [text, assigned, openStart] = ['', false, false];
  let inTicks = false;
  // The context around brackets continues after them.
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
      // All parts of a list are values of the name before `=`.
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

/** Words that pieces would split: as a shell parses quotes and backslashes, and words nested in them. */
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
