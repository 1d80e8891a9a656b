// The user's editor on a file of the user's.
import { runProgram } from '../process/program.ts';

/**
 * Opens `$VISUAL`, `$EDITOR` or vi on a file, on this terminal, and resolves with its exit status; 127 if there is no
 * such program. The variable may hold arguments, separated by blanks.
 */
export async function edit(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const editor = (env['VISUAL'] || env['EDITOR'] || 'vi').trim().split(/\s+/);
  const { status, failure } = await runProgram([...editor, path], { output: 'terminal' });
  return failure ? 127 : (status ?? 1);
}
