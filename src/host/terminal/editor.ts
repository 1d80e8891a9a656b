// Opens the user's editor.
import { runProgram } from '../process/program.ts';

/**
 * Runs `$VISUAL`, `$EDITOR` or vi on a file in this terminal and resolves with its exit status; 127 if the program does not
 * exist. The variable may contain arguments, separated by spaces.
 */
export async function edit(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const editor = (env['VISUAL'] || env['EDITOR'] || 'vi').trim().split(/\s+/);
  const { status, failure } = await runProgram([...editor, path], { output: 'terminal' });
  return failure ? 127 : (status ?? 1);
}
