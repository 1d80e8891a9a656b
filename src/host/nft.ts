// nftables through its own program: transactions and listings as JSON on its standard input, one process each.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CoiError } from '../errors.ts';

/** Commands and objects of libnftables-json(5), without the frame around them. */
export interface Nft {
  /** All of the commands or none. Throws `network-unprotected`. */
  apply(commands: readonly unknown[]): Promise<void>;
  /** Everything in a table; empty if there is no such table. Throws `network-unprotected`. */
  table(family: string, name: string): Promise<NftObject[]>;
}

/** `{ rule: {…} }`, `{ set: {…} }` and so on. */
export type NftObject = Readonly<Record<string, unknown>>;

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
    apply: async (commands) => {
      if (commands.length > 0) await run(['-j', '-f', '-'], { nftables: commands });
    },
    table: async (family, name) => {
      // One listing a process: of several, nft 1.0.6 finds only the last.
      const list = async (what: unknown) =>
        objectsOf(await run(['-j', '-f', '-'], { nftables: [{ list: what }] }));
      try {
        return await list({ table: { family, name } });
      } catch (error) {
        const tables = (await list({ tables: null })) as readonly {
          table?: { family?: unknown; name?: unknown };
        }[];
        if (tables.some(({ table }) => table?.family === family && table.name === name))
          throw error;
        return [];
      }
    },
  };
}

function objectsOf(text: string): NftObject[] {
  return (JSON.parse(text) as { nftables: NftObject[] }).nftables.filter(
    (object) => !('metainfo' in object),
  );
}

interface Run {
  readonly program: string;
  readonly args: readonly string[];
  readonly input: unknown;
  readonly scratchDir: string;
}

function runNft({ program, args, input, scratchDir }: Run): Promise<string> {
  const stdin = nameless(scratchDir, JSON.stringify(input));
  const child = spawn(program, args, {
    stdio: [stdin, 'pipe', 'pipe'],
    env: { PATH: '/usr/sbin:/sbin:/usr/bin:/bin', LC_ALL: 'C' },
    timeout: limitMs,
    killSignal: 'SIGKILL',
  });
  closeSync(stdin);
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    output.stdout += part;
    if (output.stdout.length > outputMax) child.kill('SIGKILL');
  });
  child.stderr?.setEncoding('utf8').on('data', (part: string) => {
    output.stderr = (output.stderr + part).slice(0, 65_536);
  });
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(new NftError('nft cannot be run', String(cause), cause)));
    child.once('close', (status, signal) => {
      if (status === 0) resolve(output.stdout);
      else if (signal)
        reject(new NftError(`nft did not end within ${limitMs / 1000} s`, output.stderr));
      else
        reject(
          new NftError(
            `nft refused the rules: ${firstLine(output.stderr || output.stdout)}`,
            output.stderr,
          ),
        );
    });
  });
}

/** nft opens its standard input by path, which fails for the sockets that Node makes: so it gets a file. */
function nameless(directory: string, text: string): number {
  const path = join(directory, `.nft-${randomBytes(8).toString('hex')}`);
  const fd = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  writeFileSync(fd, text);
  return fd;
}

function firstLine(text: string): string {
  return (text.trim().split('\n')[0] ?? '').slice(0, shownMax);
}
