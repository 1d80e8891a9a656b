// Hides the command line's arguments (values of --env, prompts, commands), which other accounts can read in /proc while a
// process runs.

/** Passes the arguments to the same program where they would otherwise be on the command line of sg or sh. */
const wordsVariable = 'COI_WORDS';
const handedVariable = /^COI_WORDS(?:_\d+)?$/;
/** The kernel limits a variable to 128 KiB, and all arguments together may be longer. */
const pieceMax = 100_000;

/**
 * The launchers pass the arguments one by one. Node looks for its own flags among all arguments of a program, so
 * `coi run --env-file .env` would make it obey NODE_OPTIONS from that file, which an agent can write.
 */
const countVariable = 'COI_WORD_COUNT';
const wordVariable = /^COI_WORD_(?:\d+|COUNT)$/;

/** Shell lines that move all arguments into the environment, for a launcher that then starts Node without any. */
export const launcherLines = [
  'coi_n=0',
  'for coi_word do export "COI_WORD_$coi_n=$coi_word"; coi_n=$((coi_n + 1)); done',
  `export ${countVariable}=$coi_n`,
].join('\n');

/** Returns the arguments and hides them from other accounts. Called once, before anything else. */
export function takeArguments(process: NodeJS.Process): string[] {
  const words = wordsOf(process);
  // Code that passes them on expects them in argv.
  process.argv.splice(2, process.argv.length, ...words);
  // Node writes the title over the memory that the kernel shows as the command line.
  if (words.length > 0) process.title = title(words[0] ?? '');
  return words;
}

function wordsOf({ env, argv }: NodeJS.Process): string[] {
  const { [countVariable]: count } = env;
  const handed = piecesOf(env);
  const launched = Array.from({ length: Number(count ?? 0) }, (_, n) => env[`COI_WORD_${n}`] ?? '');
  // Child processes must not inherit them.
  for (const name of Object.keys(env))
    if (handedVariable.test(name) || wordVariable.test(name)) delete env[name];
  if (handed !== '') return JSON.parse(handed) as string[];
  return count === undefined ? argv.slice(2) : launched;
}

/** The arguments as environment variables, which only the user and root can read. */
export function argumentsToEnvironment(words: readonly string[]): Record<string, string> {
  // ASCII only, so that bytes equal characters.
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

/** The title in a process list: only the command's name. */
function title(word: string): string {
  return /^[a-z]{1,16}$/.test(word) ? `coi ${word}` : 'coi';
}
