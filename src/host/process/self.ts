// How to start this program again: with Node and its main file, or as a single executable.
import sea from 'node:sea';

/** argv without the arguments. Throws if the program has no main file. */
export function selfArgv(process: NodeJS.Process): string[] {
  if (sea.isSea()) return [process.execPath];
  const program = process.argv[1];
  if (program === undefined) throw new Error('this program has no main file');
  return [process.execPath, ...process.execArgv, program];
}

/**
 * The command that runs this program as root from the user's shell: sudo's PATH contains neither npm's directory below a
 * home nor a checkout.
 */
export function sudoCommand({ argv, execPath }: Pick<NodeJS.Process, 'argv' | 'execPath'>): string {
  const program = sea.isSea() ? execPath : (argv[1] ?? '');
  if (program.startsWith('/usr/')) return 'sudo coi';
  return program.includes('/node_modules/') || sea.isSea()
    ? 'sudo "$(command -v coi)"'
    : 'sudo ./coi';
}

export function ownPid(): number {
  return process.pid;
}
