// nftables through the nft program: transactions and listings as JSON on its standard input, one process each.
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { CoiError } from '../../errors.ts';
import { plainEnvironment, runProgram } from '../process/program.ts';
import { echoMismatch, type NftObject, parseListing } from './nft-output.ts';

export type { NftObject } from './nft-output.ts';

/** Commands and objects of libnftables-json(5), without the outer object. */
export interface Nft {
  /**
   * Applies all commands or none, and verifies it: exit status 0 proves nothing, since an nft that reads no command also
   * returns it. `isApplied` asks the kernel for something that only this transaction adds. Without it nft's echo must
   * contain every command, for which nft reads all rules of the host. Throws `network-unprotected`.
   */
  apply(commands: readonly unknown[], isApplied?: () => boolean): Promise<void>;
  /** All objects of a table; empty if the table does not exist. Throws `network-unprotected`. */
  table(family: string, name: string): Promise<NftObject[]>;
}

export class NftError extends CoiError {
  /** nft's output, including the first failing command. */
  readonly output: string;

  constructor(message: string, output: string, cause?: unknown) {
    super('network-unprotected', message, {
      hint: 'Run `coi health`; `nft list ruleset` shows the active rules.',
      cause,
    });
    this.output = output;
  }
}

const limitMs = 10_000;
const outputMax = 64 * 1024 * 1024;
const shownMax = 400;

/** Only root can write `scratchDir`; the file created there is unlinked before nft reads it. */
export function openNft({ scratchDir = '/run', program = 'nft' } = {}): Nft {
  const run = (args: readonly string[], input: unknown) =>
    runNft({ program, args, input, scratchDir });
  return {
    apply: async (commands, isApplied) => {
      if (commands.length === 0) return;
      const args = isApplied ? ['-j', '-f', '-'] : ['-j', '--echo', '-f', '-'];
      const output = await run(args, { nftables: commands });
      const why = isApplied ? notAppliedReason(isApplied) : echoMismatch(commands, output);
      if (why !== undefined) throw new NftError(`nft did not apply the rules: ${why}`, output);
    },
    table: async (family, name) => {
      // One listing per process: of several, nft 1.0.6 prints only the last.
      const list = async (what: unknown) =>
        requireListing(await run(['-j', '-f', '-'], { nftables: [{ list: what }] }));
      try {
        const objects = await list({ table: { family, name } });
        if (hasTable(objects, family, name)) return objects;
        throw new NftError(`nft did not list the rules: its output lacks the table ${name}`, '');
      } catch (error) {
        if (hasTable(await list({ tables: null }), family, name)) throw error;
        return [];
      }
    },
  };
}

/** Why the kernel does not confirm the transaction; undefined if it does. */
function notAppliedReason(isApplied: () => boolean): string | undefined {
  try {
    return isApplied() ? undefined : 'it succeeded, but the kernel does not have them';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function hasTable(objects: readonly NftObject[], family: string, name: string): boolean {
  return (objects as readonly { table?: { family?: unknown; name?: unknown } }[]).some(
    ({ table }) => table?.family === family && table.name === name,
  );
}

function requireListing(text: string): NftObject[] {
  const objects = parseListing(text);
  if (objects) return objects;
  const what = text.trim() === '' ? 'its output is empty' : 'its output is not nft JSON';
  throw new NftError(`nft did not list the rules: ${what}`, text.slice(0, shownMax));
}

interface Run {
  readonly program: string;
  readonly args: readonly string[];
  readonly input: unknown;
  readonly scratchDir: string;
}

async function runNft({ program, args, input, scratchDir }: Run): Promise<string> {
  const stdin = unlinkedFile(scratchDir, JSON.stringify(input));
  const running = runProgram([program, ...args], {
    env: plainEnvironment,
    input: stdin,
    stdout: { max: outputMax, beyond: 'end' },
    // The first line is the reason.
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
 * nft opens its standard input by path, which fails for Node's sockets, so it gets a file. The file is written at explicit
 * positions, so that its offset stays at the start: nft 1.1 reads from the offset (1.0 reopened the file).
 */
function unlinkedFile(directory: string, text: string): number {
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
