// The user's editor on a file of the user's.
import { spawn } from 'node:child_process';

/**
 * Opens `$VISUAL`, `$EDITOR` or vi on a file, on this terminal, and resolves with its exit status; 127 if there is no
 * such program. The variable may hold arguments, separated by blanks.
 */
export function edit(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const [program = 'vi', ...args] = (env['VISUAL'] || env['EDITOR'] || 'vi').trim().split(/\s+/);
  const child = spawn(program, [...args, path], { stdio: 'inherit' });
  return new Promise((resolve) => {
    child.once('error', () => resolve(127));
    child.once('close', (status) => resolve(status ?? 1));
  });
}
