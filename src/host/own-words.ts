// The words of the command line, which other accounts can read in /proc as long as a process lives: values of --env,
// prompts, commands. They are taken out of sight as soon as the program runs.

/** Hands the words over to the same program where its command line would be that of other programs, too (sg, sh). */
const wordsVariable = 'COI_WORDS';

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
  const { [wordsVariable]: handed, [countVariable]: count } = env;
  const launched = Array.from({ length: Number(count ?? 0) }, (_, n) => env[`COI_WORD_${n}`] ?? '');
  // Nobody that this program starts is to have them.
  for (const name of Object.keys(env))
    if (name === wordsVariable || wordVariable.test(name)) delete env[name];
  if (handed !== undefined) return JSON.parse(handed) as string[];
  return count === undefined ? argv.slice(2) : launched;
}

/** A variable for the environment, which only the user and root can read, in the place of arguments. */
export function handedWords(words: readonly string[]): Record<string, string> {
  return { [wordsVariable]: JSON.stringify(words) };
}

/** What a process list shows: the command, as far as the first word is one. */
function title(word: string): string {
  return /^[a-z]{1,16}$/.test(word) ? `coi ${word}` : 'coi';
}
