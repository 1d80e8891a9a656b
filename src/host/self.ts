// How this same program is started once more: by Node and the file that it runs, or as the one executable file it is.
import sea from 'node:sea';

/** argv up to the arguments. Throws where the program has no file to be started from. */
export function selfArgv(process: NodeJS.Process): string[] {
  if (sea.isSea()) return [process.execPath];
  const program = process.argv[1];
  if (program === undefined) throw new Error('this program has no file to be started from');
  return [process.execPath, ...process.execArgv, program];
}
