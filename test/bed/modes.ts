// The modes of a terminal before and after a program, seen by the shell that started it.
import { readFileSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { testPrefix } from './prefix.ts';

/** What a terminal's modes were before and after a program, as `stty -g` prints them. */
export interface WatchedModes {
  /** The command to start instead: a shell that stays the terminal's first process, as a user's shell does. */
  readonly argv: readonly string[];
  /** Process id of the program itself. */
  pid(): number;
  before(): string;
  after(): string;
  remove(): Promise<void>;
}

/** Wraps a command so that it runs below a shell which notes the modes of the terminal before and after it. */
export async function watchModes(
  argv: readonly string[],
  owner: { uid: number; gid: number },
): Promise<WatchedModes> {
  const directory = await mkdtemp(`/tmp/${testPrefix}-modes-`);
  await chown(directory, owner.uid, owner.gid);
  const script = [
    'directory=$1; shift',
    // A shell that a signal of the terminal reaches too goes on to the last line.
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
