// A root file system from Debian packages, as a tar file: needs no root, since nothing is unpacked to disk.
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { CoiError } from '../errors.ts';
import type { ReadableProgram, ReadProgram } from '../host/process/program.ts';

const blockBytes = 512;

/** Writes the contents of all packages to one tar file. Throws `image-build-failed`. */
export async function writeRootfs(
  path: string,
  debs: readonly string[],
  { read, signal }: { readonly read: ReadProgram; readonly signal: AbortSignal },
): Promise<void> {
  const out = createWriteStream(path, { signal });
  const done = finished(out);
  // The writer sees the failure; this handler only prevents an unhandled rejection.
  done.catch(() => undefined);
  for (const deb of debs) {
    const program = read(['dpkg-deb', '--fsys-tarfile', deb], { signal });
    await appendContents(out, deb, program, signal);
  }
  out.end(Buffer.alloc(2 * blockBytes));
  await done;
}

async function appendContents(
  out: Writable,
  deb: string,
  { stdout, ended }: ReadableProgram,
  signal: AbortSignal,
): Promise<void> {
  const entries = tarEntries();
  for await (const chunk of stdout) {
    const part = entries(chunk as Buffer);
    if (part.length > 0 && !out.write(part)) await once(out, 'drain', { signal });
  }
  const code = await ended;
  signal.throwIfAborted();
  if (code !== 0)
    throw new CoiError('image-build-failed', `dpkg-deb could not unpack ${deb.split('/').at(-1)}`, {
      hint: 'Check that dpkg is installed and that the disk is not full.',
    });
}

/**
 * Takes a tar file (ustar, GNU or pax) in chunks and returns each chunk without the zero blocks after the last entry:
 * between joined files, readers would stop at them.
 */
export function tarEntries(): (chunk: Buffer) => Buffer {
  let header = Buffer.alloc(0);
  let contentBytes = 0;
  let ended = false;
  return (chunk) => {
    const parts: Buffer[] = [];
    let at = 0;
    while (at < chunk.length && !ended) {
      if (contentBytes > 0) {
        const taken = Math.min(contentBytes, chunk.length - at);
        parts.push(chunk.subarray(at, at + taken));
        contentBytes -= taken;
        at += taken;
        continue;
      }
      const piece = chunk.subarray(at, at + blockBytes - header.length);
      header = Buffer.concat([header, piece]);
      at += piece.length;
      if (header.length < blockBytes) break;
      ended = header[0] === 0;
      if (!ended) {
        parts.push(header);
        contentBytes = Math.ceil(entryBytes(header) / blockBytes) * blockBytes;
      }
      header = Buffer.alloc(0);
    }
    return Buffer.concat(parts);
  };
}

/** The size field of a header: octal, or for large files a base-256 number (GNU). */
function entryBytes(header: Buffer): number {
  const field = header.subarray(124, 136);
  if (((field[0] ?? 0) & 0x80) !== 0) return Number(field.readBigUInt64BE(4));
  return Number.parseInt(field.toString('latin1').replace(/[\0 ]+$/, '') || '0', 8);
}
