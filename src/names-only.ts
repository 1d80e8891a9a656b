// Answers a completion of names without the rest of the program, which would take longer to load than the answer.
import { makeApp } from './app.ts';
import { candidates } from './commands/complete.ts';
import { CoiError } from './errors.ts';
import { safeCandidates } from './ui/completion.ts';

/** `__complete -- WORDS`, none of them a flag. Returns the exit status. */
export async function main([, , ...words]: readonly string[]): Promise<number> {
  const app = makeApp(process);
  try {
    const found = safeCandidates(await candidates(app, words), words.at(-1) ?? '');
    if (found.length > 0) app.io.print(found.join('\n'));
  } catch (error) {
    // Whoever completes shows no errors.
    if (error instanceof CoiError) return 1;
    throw error;
  } finally {
    await app.close();
  }
  return 0;
}
