// How this same program is started once more: by Node and the file that it runs, or as the one executable file it is.
import sea from 'node:sea';

/** argv up to the arguments. Throws where the program has no file to be started from. */
export function selfArgv(process: NodeJS.Process): string[] {
  if (sea.isSea()) return [process.execPath];
  const program = process.argv[1];
  if (program === undefined) throw new Error('this program has no file to be started from');
  return [process.execPath, ...process.execArgv, program];
}

/**
 * How root calls this same program from this user's shell: sudo has a PATH of its own, in which what npm installed below
 * a home is not, nor a checkout.
 */
export function asRoot({ argv, execPath }: Pick<NodeJS.Process, 'argv' | 'execPath'>): string {
  const program = sea.isSea() ? execPath : (argv[1] ?? '');
  if (program.startsWith('/usr/')) return 'sudo coi';
  return program.includes('/node_modules/') || sea.isSea()
    ? 'sudo "$(command -v coi)"'
    : 'sudo ./coi';
}
