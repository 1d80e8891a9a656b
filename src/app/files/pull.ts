// Copies files from a container to the host. They are hostile: no link is created or followed, and everything is limited.
import { randomBytes } from 'node:crypto';
import { renameSync } from 'node:fs';
import { basename, dirname, posix, resolve } from 'node:path';
import { CoiError } from '../../errors.ts';
import type { Directory } from '../../host/fs/directory.ts';
import { FileError } from '../../host/fs/file-error.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import type { LinkPolicy } from '../../host/fs/read-named-file.ts';
import { removeTree } from '../../host/fs/remove-tree.ts';
import { streamTo } from '../../host/fs/streams.ts';
import type { GuestFile, Incus } from '../../incus/client.ts';
import { quoted } from '../../names.ts';
import type { AppContext, ByteProgress } from '../context.ts';
import type { OwnerScope } from '../requests.ts';
import { existingContainer } from '../targets/container-by-name.ts';
import { agentReach } from './agent-reach.ts';
import { depthMax, entriesMax, refuseLinkOut, transferFailure } from './push.ts';
import type { CopyResult, RemotePath } from './remote-path.ts';

/** Total size of one pull: a container must not fill the disk. */
const bytesMax = 32 * 2 ** 30;

interface PullState {
  readonly app: AppContext;
  readonly incus: Incus;
  readonly container: string;
  readonly progress: ByteProgress;
  entries: number;
  bytesLeft: number;
}

export async function pull(
  app: AppContext,
  scope: OwnerScope,
  remote: RemotePath,
  local: string,
  recursive: boolean,
): Promise<CopyResult> {
  const { name: container, instance } = await existingContainer(app, scope, remote.container);
  const reach = await agentReach(app, instance);
  const incus = await app.incus();
  try {
    const found = await incus.readFile(container, remote.path, { signal: app.signal });
    if (!found) throw new CoiError('failed', `there is no ${remote.path} in ${container}`);
    if (found.kind === 'symlink')
      throw new CoiError('failed', `${remote.path} in ${container} is a link`, {
        hint: `Name its target: ${quoted(found.target)}.`,
      });
    if (found.kind === 'directory' && !recursive)
      throw new CoiError('usage', `${remote.path} is a directory`, { hint: 'Add -r.' });
    const progress = app.byteProgress(basename(remote.path), undefined);
    const pulling: PullState = {
      app,
      incus,
      container,
      progress,
      entries: 0,
      bytesLeft: bytesMax,
    };
    try {
      const to = pullTarget(app, local, basename(remote.path));
      await receive(pulling, found, remote.path, to, { ...reach, shown: undefined });
    } finally {
      if (found.kind === 'file') found.content.destroy();
      progress.clear();
    }
    app.report.info(`Pulled ${found.kind} ${container}:${remote.path} -> ${local}`);
    return { kind: found.kind, container, path: remote.path, local, bytes: progress.done() };
  } catch (error) {
    throw transferFailure(error, `pulling from ${container} failed`);
  }
}

interface PullTarget {
  readonly directory: string;
  readonly name: string;
}

/** An existing directory receives the entry inside. A link may be the agent's, so it is never followed. */
function pullTarget(app: AppContext, local: string, name: string): PullTarget {
  const path = resolve(app.cwd, local);
  using above = hostFiles.open(dirname(path));
  const kind = path === '/' ? 'directory' : above?.entry(basename(path))?.kind;
  if (kind === 'directory') {
    if (name === '') throw new CoiError('usage', 'the whole container cannot be pulled there');
    return { directory: path, name };
  }
  if (!above || /\/$/.test(local))
    throw new CoiError('failed', `there is no directory ${quoted(above ? local : dirname(local))}`);
  if (kind === 'link')
    throw new CoiError('failed', `${quoted(local)} is a link`, {
      hint: 'Name its target.',
    });
  return { directory: dirname(path), name: basename(path) };
}

/** A new directory gets its name when it is complete; an existing one receives file by file. */
async function receive(
  pulling: PullState,
  found: Exclude<GuestFile, { kind: 'symlink' }>,
  path: string,
  { directory: directoryPath, name }: PullTarget,
  reach: LinkPolicy,
): Promise<void> {
  using directory = hostFiles.open(directoryPath);
  if (!directory) throw new CoiError('failed', `${directoryPath} no longer exists`);
  refuseLinkOut(directoryPath, directory.realPath(), reach, 'to write to');
  const before = directory.entry(name)?.kind;
  if (found.kind === 'file') {
    if (before === 'directory')
      throw new FileError('directory', directory.displayPath(name), 'is a directory');
    // Awaited here: the directory is closed when this function returns.
    await receiveFile(pulling, found, directory, name);
    return;
  }
  if (before !== undefined && before !== 'directory')
    throw new FileError('file', directory.displayPath(name), 'exists and is not a directory');
  const fresh = before === undefined ? `.coi-${randomBytes(8).toString('hex')}` : undefined;
  try {
    using inner = directory.makeDirectory(fresh ?? name, { mode: directoryMode(found) });
    await receiveDirectory(pulling, found.entries, path, inner, 0);
    if (fresh) renameSync(directory.fdPath(fresh), directory.fdPath(name));
  } catch (error) {
    if (fresh) await removeTree(directory, fresh);
    throw error;
  }
}

async function receiveDirectory(
  pulling: PullState,
  entries: readonly string[],
  path: string,
  directory: Directory,
  depth: number,
): Promise<void> {
  const { app, incus, container } = pulling;
  if (depth > depthMax) throw new FileError('too-many', path, 'is nested too deep');
  for (const name of entries) {
    pulling.entries += 1;
    if (pulling.entries > entriesMax)
      throw new FileError('too-many', path, `holds more than ${entriesMax} entries`);
    const from = posix.join(path, name);
    const found =
      name.includes('/') || name === '..' || name === '.'
        ? undefined
        : await incus.readFile(container, from, { signal: app.signal });
    if (found?.kind === 'directory') {
      using inner = directory.makeDirectory(name, { mode: directoryMode(found) });
      await receiveDirectory(pulling, found.entries, from, inner, depth + 1);
    } else if (found?.kind === 'file') await receiveFile(pulling, found, directory, name);
    else app.report.warn(`${from} was left out: ${found ? 'it is a link' : 'it cannot be read'}`);
  }
}

async function receiveFile(
  pulling: PullState,
  { content, mode }: Extract<GuestFile, { kind: 'file' }>,
  directory: Directory,
  name: string,
): Promise<void> {
  await streamTo(directory, name, content, {
    mode,
    maxBytes: pulling.bytesLeft,
    signal: pulling.app.signal,
    received: pulling.progress.add,
  });
  const size = directory.entry(name)?.stat.size ?? 0;
  pulling.bytesLeft -= size;
}

function directoryMode({ mode }: GuestFile): number {
  return (mode & 0o777) | 0o700;
}
