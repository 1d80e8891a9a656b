// coi paste: the clipboard's image, or files, for the agent of a session to look at.
import { existsSync, lstatSync } from 'node:fs';
import { basename, posix } from 'node:path';
import { addAbortSignal } from 'node:stream';
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { clipboardImage } from '../host/clipboard.ts';
import { hostFiles } from '../host/files.ts';
import { type Reach, readNamed } from '../host/read-within.ts';
import { parseContainerName, quoted, tmuxSession } from '../names.ts';
import { meant } from '../session/act.ts';
import { refOf } from '../session/container-ref.ts';
import { dropDirectory, dropName, freeName } from '../session/drop.ts';
import { incusFailure } from '../session/failure.ts';
import { findContainer } from '../session/lookup.ts';
import type { Container } from '../session/record.ts';
import { workspacePath } from '../session/workspace.ts';
import { agentPlaces } from './agent-places.ts';
import type { GlobalOptions } from './command.ts';
import { ownContainers } from './containers.ts';
import { flagsOf } from './global.ts';
import { inSession, tried, users } from './in-tmux.ts';
import { sessionMeant } from './running-session.ts';

/** All that is pasted at once. */
const maxMiB = 64;
const maxBytes = maxMiB * 2 ** 20;

interface Options extends GlobalOptions {
  name?: string;
  json?: boolean;
}

/** Something to be put inside. */
interface Piece {
  /** What it is called on the host. */
  readonly local: string;
  readonly name: string;
  readonly bytes: Buffer;
}

export function register(command: Command, app: App): void {
  command
    .argument(
      '[session-or-file...]',
      'name or alias of a session (default: the only one), then files, - for stdin; without files the image of the clipboard',
    )
    .option('--name <name>', 'what the file is called inside; for - it is needed')
    .option('--json', 'print what was pasted as JSON')
    .addHelpText(
      'after',
      `\nThe files are put into ~/drop of the session, at most ${maxMiB} MiB, and their paths are typed into the agent's input,
without Enter; nothing is typed while a dialog of the agent waits for an answer. The paths are printed.
The first word is a session if it names one; ./WORD is always a file.`,
    )
    .action((words: string[]) => paste(app, flagsOf<Options>(command), words));
}

async function paste(app: App, options: Options, words: readonly string[]): Promise<void> {
  const own = await ownContainers(app, options);
  const { session, files } = parted(app, own, words);
  if (options.name !== undefined && files.length > 1)
    throw new CoiError('usage', '--name is for one file', { hint: 'Leave it out.' });
  const { found, live } = await sessionMeant(app, options, session, own);
  if (!found)
    throw new CoiError(
      'session-not-found',
      live.length === 0 ? 'no session is running' : `${live.length} sessions are running`,
      {
        hint:
          live.length === 0
            ? '`coi shell` starts one.'
            : `Say which: ${live.map(({ name, session }) => session?.alias ?? name).join(', ')}.`,
      },
    );
  const reach = await agentPlaces(app, found.instance);
  const pieces = await read(app, files, options.name, reach);
  const { typed, paths } = await put(app, found, pieces);
  if (options.json) {
    app.io.printJson({
      container: found.name,
      session: tmuxSession(parseContainerName(found.name)),
      typed,
      files: pieces.map(({ local, bytes }, at) => ({
        path: paths[at] ?? '',
        local,
        bytes: bytes.length,
      })),
    });
  } else app.io.print(paths.join('\n'));
}

/** Which word is a session. Throws `usage` where it is not clear. */
function parted(
  app: App,
  own: readonly Container[],
  words: readonly string[],
): { session: string | undefined; files: readonly string[] } {
  const [first, ...rest] = words;
  if (first === undefined || first === '-' || first.includes('/'))
    return { session: undefined, files: words };
  const isFile = existsSync(workspacePath(app.cwd, first));
  const isSession = first.startsWith(app.prefix) || findContainer(app, own, first) !== undefined;
  if (isFile && isSession)
    throw new CoiError('usage', `${quoted(first)} is a session and a file`, {
      hint: `Write ./${first} for the file.`,
    });
  if (isFile) return { session: undefined, files: words };
  if (isSession) return { session: first, files: rest };
  throw new CoiError('usage', `there is no session and no file ${quoted(first)}`, {
    hint: 'Run `coi list` to see your sessions.',
  });
}

async function read(
  app: App,
  files: readonly string[],
  name: string | undefined,
  reach: Reach,
): Promise<Piece[]> {
  if (files.length === 0) return [ofClipboard(app, name)];
  const pieces: Piece[] = [];
  for (const file of files)
    pieces.push(file === '-' ? await ofStdin(app, name) : ofFile(app, file, name, reach));
  if (pieces.reduce((sum, { bytes }) => sum + bytes.length, 0) > maxBytes)
    throw tooBig('the files');
  return pieces;
}

function ofClipboard(app: App, name: string | undefined): Piece {
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

async function ofStdin(app: App, name: string | undefined): Promise<Piece> {
  if (name === undefined)
    throw new CoiError('usage', '- needs a name', { hint: 'Add --name, for example shot.png.' });
  const { stdin } = app.io;
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
function ofFile(app: App, file: string, name: string | undefined, reach: Reach): Piece {
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

/** Puts them into the session and types their paths; takes them away again where nothing may be typed. */
async function put(
  app: App,
  { name: container, instance }: Container,
  pieces: readonly Piece[],
): Promise<{ typed: boolean; paths: readonly string[] }> {
  const incus = await app.incus();
  const { signal } = app;
  const ref = refOf(instance);
  const has = await tried(app, container, 'has', '');
  const user = users.find(({ uid }) => uid === has?.uid) ?? users[0];
  const directory = dropDirectory(user.home);
  const owner = { uid: user.uid, gid: user.uid };
  const paths: string[] = [];
  try {
    await meant(incus, ref, { signal });
    const there = await incus.readFile(container, directory, { signal });
    if (there?.kind === 'file') there.content.destroy();
    if (there && there.kind !== 'directory')
      throw new CoiError('failed', `${directory} in ${container} is no directory`, {
        hint: 'Remove it there.',
      });
    if (!there) await incus.makeDirectory(container, directory, { ...owner, mode: 0o700, signal });
    const taken = new Set(there?.entries ?? []);
    for (const { name, bytes } of pieces) {
      const free = freeName(dropName(name), taken);
      taken.add(free);
      const path = posix.join(directory, free);
      await incus.writeFile(container, path, bytes, { ...owner, mode: 0o600, signal });
      paths.push(path);
    }
  } catch (error) {
    throw incusFailure(error, `putting files into ${container} failed`);
  }
  if (!has) {
    app.io.warn(`${container} has no tmux session, so nothing was typed: name the path yourself`);
    return { typed: false, paths };
  }
  try {
    await inSession(app, container, 'paste', `${paths.join(' ')} `);
  } catch (error) {
    for (const path of paths) await incus.deleteFile(container, path, { signal });
    throw error;
  }
  return { typed: true, paths };
}
