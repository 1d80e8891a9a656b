// Terminal modes before and after a program, recorded by the shell that starts it.
import { readFileSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { testPrefix } from './prefix.ts';

/** Terminal modes before and after a program, as printed by `stty -g`. */
export interface WatchedModes {
  /** The command to start instead: a shell that stays the terminal's first process, like a user's shell. */
  readonly argv: readonly string[];
  /** Process id of the program itself. */
  pid(): number;
  before(): string;
  after(): string;
  remove(): Promise<void>;
}

/** Wraps a command in a shell that records the terminal's modes before and after it. */
export async function watchModes(
  argv: readonly string[],
  owner: { uid: number; gid: number },
): Promise<WatchedModes> {
  const directory = await mkdtemp(`/tmp/${testPrefix}-modes-`);
  await chown(directory, owner.uid, owner.gid);
  const script = [
    'directory=$1; shift',
    // The shell must reach its last line even if a terminal signal hits it too.
    'trap : INT HUP TERM',
    'stty -g >"$directory/before"',
    'sh -c \'echo $$ >"$1/pid"; shift; exec "$@"\' sh "$directory" "$@"',
    'status=$?',
    'stty -g >"$directory/after"',
    'exit $status',
  ].join('\n');
  const read = (name: string) => readFileSync(`${directory}/${name}`, 'utf8').trim();
  return {
    argv: ['sh', '-c', script, 'sh', directory, ...argv],
    pid: () => Number(read('pid')),
    before: () => read('before'),
    after: () => read('after'),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}
