// Sources of a paste: the clipboard's image, files of the user, or stdin.
import { lstatSync } from 'node:fs';
import { basename } from 'node:path';
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import type { LinkPolicy } from '../../host/fs/read-named-file.ts';
import { readNamedFile } from '../../host/fs/read-named-file.ts';
import { clipboardImage } from '../../host/terminal/clipboard.ts';
import { quoted } from '../../names.ts';
import { workspacePath } from '../../session/plan/workspace.ts';
import type { AppContext } from '../context.ts';
import { inputBytes } from './input-bytes.ts';

/** Limit for all files of one paste. */
export const maxMiB = 64;
const maxBytes = maxMiB * 2 ** 20;

export interface PasteOptions {
  /** Name of a single file in the container. */
  readonly name: string | undefined;
  /** Where links may lead. */
  readonly reach: LinkPolicy;
  readonly stdin: NodeJS.ReadStream;
}

/** A file to copy into the container. */
export interface PastedFile {
  /** Its name on the host. */
  readonly local: string;
  readonly name: string;
  readonly bytes: Buffer;
}

/** Without files the clipboard's image; `-` is stdin. Throws `usage`, `failed`. */
export async function readPasted(
  app: AppContext,
  files: readonly string[],
  { name, reach, stdin }: PasteOptions,
): Promise<PastedFile[]> {
  if (files.length === 0) return [fromClipboard(app, name)];
  const pieces: PastedFile[] = [];
  for (const file of files)
    pieces.push(
      file === '-' ? await fromStdin(app, stdin, name) : fromFile(app, file, name, reach),
    );
  if (pieces.reduce((sum, { bytes }) => sum + bytes.length, 0) > maxBytes)
    throw tooBig('the files');
  return pieces;
}

function fromClipboard(app: AppContext, name: string | undefined): PastedFile {
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

async function fromStdin(
  app: AppContext,
  stdin: NodeJS.ReadStream,
  name: string | undefined,
): Promise<PastedFile> {
  if (name === undefined)
    throw new CoiError('usage', '- needs a name', { hint: 'Add --name, for example shot.png.' });
  if (stdin.isTTY)
    throw new CoiError('usage', 'stdin is the terminal', { hint: 'Add <FILE, or pipe into it.' });
  const bytes = await inputBytes(stdin, { maxBytes, signal: app.signal });
  if (bytes === undefined) throw tooBig('stdin');
  return { local: '-', name, bytes };
}

/** A link may be an agent's, even if no session is known any longer. Throws `failed`. */
function refuseLink(full: string, file: string): void {
  if (!isLink(full)) return;
  const real = hostFiles.realPath(full);
  throw new CoiError('failed', `${quoted(file)} is a symbolic link`, {
    hint:
      real === undefined || real === 'dangling'
        ? 'Its target does not exist.'
        : `If you mean its target, name that: ${quoted(real)}.`,
  });
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    // Reading the file reports the error.
    return false;
  }
}

/** A session may have replaced what it can write with a link to a file of the user's that it cannot read. */
function fromFile(
  app: AppContext,
  file: string,
  name: string | undefined,
  reach: LinkPolicy,
): PastedFile {
  try {
    const full = workspacePath(app.cwd, file);
    refuseLink(full, file);
    const content = readNamedFile(full, reach, { maxBytes });
    if (content === undefined) throw new CoiError('failed', `${quoted(file)} does not exist`);
    return { local: file, name: name ?? basename(file), bytes: content.bytes };
  } catch (error) {
    const problem = hostFiles.asFileError(error);
    if (problem?.reason === 'too-big') throw tooBig(quoted(file));
    if (!problem) throw error;
    throw new CoiError('failed', problem.message, {
      hint: problem.reason === 'link' ? 'If you mean that path, name it directly.' : undefined,
    });
  }
}

function tooBig(what: string): CoiError {
  return new CoiError('failed', `${what}: more than ${maxMiB} MiB`, {
    hint: '`coi file push` takes files of any size.',
  });
}
