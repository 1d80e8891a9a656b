// Answers a completion of names without the rest of the program, which would take longer to load than the answer.
import { CoiError } from '../errors.ts';
import { makeApp } from './app.ts';
import { tree } from './command-tree.ts';
import { printCompletion } from './completion/complete.ts';

/** `__complete [--described] -- WORDS`, none of them a flag. Returns the exit status. */
export async function main([, ...rest]: readonly string[]): Promise<number> {
  const app = makeApp(process);
  const at = rest.indexOf('--');
  try {
    await printCompletion(app, tree, rest.slice(at + 1), rest[0] === '--described');
    return 0;
  } catch (error) {
    // Whoever completes shows no errors.
    if (error instanceof CoiError) return 1;
    throw error;
  } finally {
    await app.close();
  }
}
