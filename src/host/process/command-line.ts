// The words of the command line, which other accounts can read in /proc as long as a process lives: values of --env,
// prompts, commands. They are taken out of sight as soon as the program runs.

/** Hands the words over to the same program where its command line would be that of other programs, too (sg, sh). */
const wordsVariable = 'COI_WORDS';
const handedVariable = /^COI_WORDS(?:_\d+)?$/;
/** The kernel refuses a program with a variable of 128 KiB, and all words together may be longer. */
const pieceMax = 100_000;

/**
 * The launchers hand the words over one by one. Node looks for flags of its own among all arguments of a program, and
 * `coi run --env-file .env` would make it obey NODE_OPTIONS of that file, which an agent can write.
 */
const countVariable = 'COI_WORD_COUNT';
const wordVariable = /^COI_WORD_(?:\d+|COUNT)$/;

/** Lines of sh that put all arguments into the environment, for a launcher that then starts Node without any. */
export const launcherLines = [
  'coi_n=0',
  'for coi_word do export "COI_WORD_$coi_n=$coi_word"; coi_n=$((coi_n + 1)); done',
  `export ${countVariable}=$coi_n`,
].join('\n');

/** The words, which from now on no other account can see. Called once, before anything else. */
export function ownWords(process: NodeJS.Process): string[] {
  const words = wordsOf(process);
  // Who hands them on looks for them where they always are.
  process.argv.splice(2, process.argv.length, ...words);
  // Node writes a title over the memory that the kernel shows as the command line.
  if (words.length > 0) process.title = title(words[0] ?? '');
  return words;
}

function wordsOf({ env, argv }: NodeJS.Process): string[] {
  const { [countVariable]: count } = env;
  const handed = piecesOf(env);
  const launched = Array.from({ length: Number(count ?? 0) }, (_, n) => env[`COI_WORD_${n}`] ?? '');
  // Nobody that this program starts is to have them.
  for (const name of Object.keys(env))
    if (handedVariable.test(name) || wordVariable.test(name)) delete env[name];
  if (handed !== '') return JSON.parse(handed) as string[];
  return count === undefined ? argv.slice(2) : launched;
}

/** Variables for the environment, which only the user and root can read, in the place of arguments. */
export function handedWords(words: readonly string[]): Record<string, string> {
  // Only ASCII, so that a piece of the text has as many bytes as characters.
  const text = JSON.stringify(words).replaceAll(
    /[\u0080-\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const pieces = text.match(new RegExp(`.{1,${pieceMax}}`, 'g')) ?? [];
  return Object.fromEntries(pieces.map((piece, n) => [nameOfPiece(n), piece]));
}

function piecesOf(env: NodeJS.ProcessEnv): string {
  let text = '';
  for (let n = 0; env[nameOfPiece(n)] !== undefined; n += 1) text += env[nameOfPiece(n)];
  return text;
}

function nameOfPiece(n: number): string {
  return n === 0 ? wordsVariable : `${wordsVariable}_${n}`;
}

/** What a process list shows: the command, as far as the first word is one. */
function title(word: string): string {
  return /^[a-z]{1,16}$/.test(word) ? `coi ${word}` : 'coi';
}
