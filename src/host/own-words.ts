// The words of the command line, which other accounts can read in /proc as long as a process lives: values of --env,
// prompts, commands. They are taken out of sight as soon as the program runs.

/** Hands the words over to the same program where its command line would be that of other programs, too (sg, sh). */
const wordsVariable = 'COI_WORDS';

/** The words, which from now on no other account can see. Called once, before anything else. */
export function ownWords(process: NodeJS.Process): string[] {
  const handed = process.env[wordsVariable];
  // Nobody that this program starts is to have it.
  delete process.env[wordsVariable];
  const words = handed === undefined ? process.argv.slice(2) : (JSON.parse(handed) as string[]);
  // Node writes a title over the memory that the kernel shows as the command line.
  if (words.length > 0) process.title = title(words[0] ?? '');
  return words;
}

/** A variable for the environment, which only the user and root can read, in the place of arguments. */
export function handedWords(words: readonly string[]): Record<string, string> {
  return { [wordsVariable]: JSON.stringify(words) };
}

/** What a process list shows: the command, as far as the first word is one. */
function title(word: string): string {
  return /^[a-z]{1,16}$/.test(word) ? `coi ${word}` : 'coi';
}
