// What is pasted: the clipboard's image, files of the user's, or stdin.
import { lstatSync } from 'node:fs';
import { basename } from 'node:path';
import { addAbortSignal } from 'node:stream';
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import type { Reach } from '../../host/fs/read-within.ts';
import { readNamed } from '../../host/fs/read-within.ts';
import { clipboardImage } from '../../host/terminal/clipboard.ts';
import { quoted } from '../../names.ts';
import { workspacePath } from '../../session/plan/workspace.ts';
import type { AppContext } from '../context.ts';

/** All that is pasted at once. */
export const maxMiB = 64;
const maxBytes = maxMiB * 2 ** 20;

export interface PasteOptions {
  /** What a single file is called inside. */
  readonly name: string | undefined;
  /** Where links may lead. */
  readonly reach: Reach;
  readonly stdin: NodeJS.ReadStream;
}

/** Something to be put inside. */
export interface Piece {
  /** What it is called on the host. */
  readonly local: string;
  readonly name: string;
  readonly bytes: Buffer;
}

/** Without files the clipboard's image; `-` is stdin. Throws `usage`, `failed`. */
export async function read(
  app: AppContext,
  files: readonly string[],
  { name, reach, stdin }: PasteOptions,
): Promise<Piece[]> {
  if (files.length === 0) return [ofClipboard(app, name)];
  const pieces: Piece[] = [];
  for (const file of files)
    pieces.push(file === '-' ? await ofStdin(app, stdin, name) : ofFile(app, file, name, reach));
  if (pieces.reduce((sum, { bytes }) => sum + bytes.length, 0) > maxBytes)
    throw tooBig('the files');
  return pieces;
}

function ofClipboard(app: AppContext, name: string | undefined): Piece {
  const found = clipboardImage(app.env, maxBytes);
  switch (found.kind) {
    case 'image':
      return {
        local: 'clipboard',
        name: name ?? `clipboard.${found.ending}`,
        bytes: found.bytes,
      };
    case 'none':
      throw new CoiError('failed', 'the clipboard holds no image', {
        hint:
          found.types.length > 0 ? `It holds ${found.types.slice(0, 5).join(', ')}.` : undefined,
      });
    case 'too-big':
      throw tooBig('the image of the clipboard');
    case 'no-display':
      throw new CoiError('failed', 'there is no clipboard here: no Wayland and no X11', {
        hint: 'Name a file, or send one: ssh HOST coi paste - --name shot.png <shot.png',
      });
    case 'no-program':
      throw new CoiError('failed', `${found.program} is needed to read the clipboard`, {
        hint: `Install the package ${found.package}, or name a file.`,
      });
    default:
      return found satisfies never;
  }
}

async function ofStdin(
  app: AppContext,
  stdin: NodeJS.ReadStream,
  name: string | undefined,
): Promise<Piece> {
  if (name === undefined)
    throw new CoiError('usage', '- needs a name', { hint: 'Add --name, for example shot.png.' });
  if (stdin.isTTY)
    throw new CoiError('usage', 'stdin is the terminal', { hint: 'Add <FILE, or pipe into it.' });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of addAbortSignal(app.signal, stdin) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw tooBig('stdin');
    chunks.push(chunk);
  }
  return { local: '-', name, bytes: Buffer.concat(chunks) };
}

/** A link may be any agent's, also where no session is known any more. Throws `failed`. */
function refuseLink(full: string, file: string): void {
  if (!isLink(full)) return;
  const real = hostFiles.realPath(full);
  throw new CoiError('failed', `${quoted(file)} is a symbolic link`, {
    hint:
      real === undefined || real === 'dangling'
        ? 'It leads to nothing.'
        : `If what it leads to is what you mean, name that: ${quoted(real)}.`,
  });
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    // Whoever reads it will tell.
    return false;
  }
}

/** What a session can write may be a link by now to a file of the user's that it cannot read. */
function ofFile(app: AppContext, file: string, name: string | undefined, reach: Reach): Piece {
  try {
    const full = workspacePath(app.cwd, file);
    refuseLink(full, file);
    const content = readNamed(full, reach, { maxBytes });
    if (content === undefined) throw new CoiError('failed', `${quoted(file)} does not exist`);
    return { local: file, name: name ?? basename(file), bytes: content.bytes };
  } catch (error) {
    const problem = hostFiles.problem(error);
    if (problem?.reason === 'too-big') throw tooBig(quoted(file));
    if (!problem) throw error;
    throw new CoiError('failed', problem.message, {
      hint: problem.reason === 'link' ? 'If that is what you mean, name it itself.' : undefined,
    });
  }
}

function tooBig(what: string): CoiError {
  return new CoiError('failed', `${what}: more than ${maxMiB} MiB`, {
    hint: '`coi file push` takes files of any size.',
  });
}
