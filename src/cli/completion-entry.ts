// Completes names without loading the rest of the program, which would take longer than the completion.
import { CoiError } from '../errors.ts';
import { makeApp } from './app.ts';
import { commandTree } from './command-tree.ts';
import { printCompletion } from './completion/complete.ts';

/** Runs `__complete [--described] -- WORDS`, where no word is a flag. Returns the exit status. */
export async function main([, ...rest]: readonly string[]): Promise<number> {
  const app = makeApp(process);
  const at = rest.indexOf('--');
  try {
    await printCompletion(app, commandTree, rest.slice(at + 1), rest[0] === '--described');
    return 0;
  } catch (error) {
    // A completion shows no errors.
    if (error instanceof CoiError) return 1;
    throw error;
  } finally {
    await app.close();
  }
}
