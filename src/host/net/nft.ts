// nftables through its own program: transactions and listings as JSON on its standard input, one process each.
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { CoiError } from '../../errors.ts';
import { plainEnvironment, runProgram } from '../process/program.ts';
import { listedObjects, type NftObject, unconfirmed } from './nft-answer.ts';

export type { NftObject } from './nft-answer.ts';

/** Commands and objects of libnftables-json(5), without the frame around them. */
export interface Nft {
  /**
   * All of the commands or none, and proved: exit status 0 alone proves nothing, since an nft that reads no command
   * ends with it, too. `isInForce` asks the kernel for something that only this transaction brings. Without it nft's own
   * echo has to hold every command; for that nft reads all rules of the host, of others too. Throws `network-unprotected`.
   */
  apply(commands: readonly unknown[], isInForce?: () => boolean): Promise<void>;
  /** Everything in a table; empty if there is no such table. Throws `network-unprotected`. */
  table(family: string, name: string): Promise<NftObject[]>;
}

export class NftError extends CoiError {
  /** What nft printed: the first failing command among it. */
  readonly output: string;

  constructor(message: string, output: string, cause?: unknown) {
    super('network-unprotected', message, {
      hint: 'Run `coi health`; `nft list ruleset` shows what is in force.',
      cause,
    });
    this.output = output;
  }
}

const limitMs = 10_000;
const outputMax = 64 * 1024 * 1024;
const shownMax = 400;

/** `scratchDir` is a directory that only root can write; the file that is made there has no name by the time nft reads it. */
export function openNft({ scratchDir = '/run', program = 'nft' } = {}): Nft {
  const run = (args: readonly string[], input: unknown) =>
    runNft({ program, args, input, scratchDir });
  return {
    apply: async (commands, isInForce) => {
      if (commands.length === 0) return;
      const args = isInForce ? ['-j', '-f', '-'] : ['-j', '--echo', '-f', '-'];
      const said = await run(args, { nftables: commands });
      const why = isInForce ? unseen(isInForce) : unconfirmed(commands, said);
      if (why !== undefined) throw new NftError(`nft did not put the rules in force: ${why}`, said);
    },
    table: async (family, name) => {
      // One listing a process: of several, nft 1.0.6 finds only the last.
      const list = async (what: unknown) =>
        listed(await run(['-j', '-f', '-'], { nftables: [{ list: what }] }));
      try {
        const objects = await list({ table: { family, name } });
        if (hasTable(objects, family, name)) return objects;
        throw new NftError(`nft did not list the rules: its answer lacks the table ${name}`, '');
      } catch (error) {
        if (hasTable(await list({ tables: null }), family, name)) throw error;
        return [];
      }
    },
  };
}

/** Why the kernel's word is no proof; undefined if it is. */
function unseen(isInForce: () => boolean): string | undefined {
  try {
    return isInForce() ? undefined : 'it ended without an error, but the kernel has none of them';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function hasTable(objects: readonly NftObject[], family: string, name: string): boolean {
  return (objects as readonly { table?: { family?: unknown; name?: unknown } }[]).some(
    ({ table }) => table?.family === family && table.name === name,
  );
}

function listed(text: string): NftObject[] {
  const objects = listedObjects(text);
  if (objects) return objects;
  const what = text.trim() === '' ? 'its answer is empty' : 'its answer is not its JSON';
  throw new NftError(`nft did not list the rules: ${what}`, text.slice(0, shownMax));
}

interface Run {
  readonly program: string;
  readonly args: readonly string[];
  readonly input: unknown;
  readonly scratchDir: string;
}

async function runNft({ program, args, input, scratchDir }: Run): Promise<string> {
  const stdin = nameless(scratchDir, JSON.stringify(input));
  const running = runProgram([program, ...args], {
    env: plainEnvironment,
    input: stdin,
    stdout: { max: outputMax, beyond: 'end' },
    // Its first line is the reason.
    stderr: { max: 65_536, beyond: 'drop the rest' },
    limitMs,
  });
  closeSync(stdin);
  const { status, signal, failure, stdout, stderr } = await running;
  if (status === 0) return stdout;
  if (failure) throw new NftError('nft cannot be run', String(failure), failure);
  if (signal) throw new NftError(`nft did not end within ${limitMs / 1000} s`, stderr);
  throw new NftError(`nft refused the rules: ${firstLine(stderr || stdout)}`, stderr);
}

/**
 * nft opens its standard input by path, which fails for the sockets that Node makes: so it gets a file. It is written by
 * position, so that its own stays at the beginning: nft 1.1 reads on from there (1.0 opened the file anew).
 */
function nameless(directory: string, text: string): number {
  const path = join(directory, `.nft-${randomBytes(8).toString('hex')}`);
  const fd = openSync(path, 'wx+', 0o600);
  try {
    unlinkSync(path);
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, at);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function firstLine(text: string): string {
  return (text.trim().split('\n')[0] ?? '').slice(0, shownMax);
}
