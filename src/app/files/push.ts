// Copies files from the host into a container. They belong to the owner of the directory that receives them.
import { basename, dirname, join, posix, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { CoiError } from '../../errors.ts';
import { agentIds } from '../../guest-user.ts';
import type { Directory } from '../../host/fs/directory.ts';
import { FileError } from '../../host/fs/file-error.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { type LinkPolicy, refuseEscape } from '../../host/fs/read-named-file.ts';
import { linkTarget, streamFrom } from '../../host/fs/streams.ts';
import type { FileOptions, GuestFile, Incus } from '../../incus/client.ts';
import { quoted } from '../../names.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { getByRef } from '../../session/record/change-instance.ts';
import { type ContainerRef, refOf } from '../../session/record/container-ref.ts';
import type { AppContext, ByteProgress } from '../context.ts';
import type { OwnerScope } from '../requests.ts';
import { existingContainer } from '../targets/container-by-name.ts';
import { agentReach } from './agent-reach.ts';
import type { CopyResult, RemotePath } from './remote-path.ts';

/** Time limit of an upload of any size. */
const uploadMs = 6 * 3600 * 1000;
export const entriesMax = 200_000;
export const depthMax = 100;
const linksMax = 8;

interface PushState {
  readonly app: AppContext;
  readonly incus: Incus;
  readonly container: ContainerRef;
  readonly owner: { readonly uid: number; readonly gid: number };
  readonly progress: ByteProgress;
  entries: number;
}

export async function push(
  app: AppContext,
  scope: OwnerScope,
  local: string,
  remote: RemotePath,
  recursive: boolean,
): Promise<CopyResult> {
  const path = resolve(app.cwd, local);
  // The path itself may be a link; links below it are not followed.
  const real = hostFiles.realPath(path);
  if (real === undefined || real === 'dangling')
    throw new CoiError('failed', `${quoted(local)} does not exist`);
  using parent = hostFiles.open(dirname(real));
  const entry = parent?.entry(basename(real));
  if (!parent || !entry) throw new CoiError('failed', `${quoted(local)} cannot be read`);
  if (entry.kind === 'directory' && !recursive)
    throw new CoiError('usage', `${quoted(local)} is a directory`, { hint: 'Add -r.' });
  const found = await existingContainer(app, scope, remote.container);
  const { name: container, instance } = found;
  const reach = await agentReach(app, instance);
  refuseLinkOut(path, join(parent.realPath(), basename(real)), reach, 'to copy');
  const incus = await app.incus();
  try {
    const { target, owner } = await destination(incus, container, remote, basename(path), app);
    const total = entry.kind === 'file' ? entry.stat.size : undefined;
    const progress = app.byteProgress(basename(path), total);
    const pushing: PushState = {
      app,
      incus,
      container: refOf(instance),
      owner,
      progress,
      entries: 0,
    };
    try {
      if (entry.kind === 'directory') {
        using directory = parent.openDirectory(basename(real));
        if (directory) await pushDirectory(pushing, directory, target, 0);
      } else await pushFile(pushing, parent, basename(real), target);
    } finally {
      progress.clear();
    }
    const what = entry.kind === 'directory' ? 'directory' : 'file';
    app.report.info(`Pushed ${what} ${local} -> ${container}:${target}`);
    return { kind: what, container, path: target, local, bytes: progress.done() };
  } catch (error) {
    throw transferFailure(error, `pushing to ${container} failed`);
  }
}

/** A path that an agent can write must not lead to what that agent cannot access. Throws `failed`. */
export function refuseLinkOut(path: string, opened: string, reach: LinkPolicy, what: string): void {
  try {
    refuseEscape(path, opened, reach);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new CoiError('failed', error.message, {
      hint: `If that is what you mean ${what}, name it directly.`,
      cause: error,
    });
  }
}

/** The error of a file or a call, in words for the user. */
export function transferFailure(error: unknown, what: string): unknown {
  if (error instanceof FileError)
    return new CoiError('failed', `${what}: ${error.message}`, { cause: error });
  return incusFailure(error, what);
}

async function destination(
  incus: Incus,
  container: string,
  remote: RemotePath,
  name: string,
  app: AppContext,
): Promise<{ target: string; owner: { uid: number; gid: number } }> {
  const found = await guestEntry(incus, container, remote.path, app.signal);
  if (found?.kind === 'directory')
    return { target: posix.join(remote.path, name), owner: ownerIn(found) };
  if (remote.isDirectory)
    throw new CoiError('failed', `there is no directory ${remote.path} in ${container}`);
  const above = await guestEntry(incus, container, posix.dirname(remote.path), app.signal);
  if (above?.kind === 'directory') return { target: remote.path, owner: ownerIn(above) };
  throw new CoiError(
    'failed',
    `there is no directory ${posix.dirname(remote.path)} in ${container}`,
    {
      hint: `Make it first: coi container exec ${container} -- mkdir -p ${posix.dirname(remote.path)}`,
    },
  );
}

/** Files in a world-writable directory (such as /tmp) belong to the agent. */
function ownerIn({ uid, gid, mode }: GuestFile): { uid: number; gid: number } {
  return mode & 0o002 ? agentIds : { uid, gid };
}

/** The entry at a path in the guest, with links followed; the content of a file is not read. */
async function guestEntry(
  incus: Incus,
  container: string,
  path: string,
  signal: AbortSignal,
): Promise<GuestFile | undefined> {
  let at = path;
  for (let links = 0; links <= linksMax; links++) {
    const found = await incus.readFile(container, at, { signal });
    if (found?.kind === 'file') found.content.destroy();
    if (found?.kind !== 'symlink') return found;
    at = posix.resolve(posix.dirname(at), found.target);
  }
  return undefined;
}

async function pushDirectory(
  pushing: PushState,
  directory: Directory,
  target: string,
  depth: number,
): Promise<void> {
  const { incus, container, owner, app } = pushing;
  if (depth > depthMax) throw new FileError('too-many', directory.path, 'is nested too deep');
  const mode = (directory.stat().mode & 0o777) | 0o700;
  // Another container may have got the name while the tree is copied.
  await getByRef(incus, container, { signal: app.signal });
  await incus.makeDirectory(container.name, target, { ...owner, mode, signal: app.signal });
  for (const { name, kind } of directory.entries()) {
    pushing.entries += 1;
    if (pushing.entries > entriesMax)
      throw new FileError('too-many', directory.path, `holds more than ${entriesMax} entries`);
    const to = join(target, name);
    if (kind === 'directory') {
      using inner = directory.openDirectory(name);
      if (inner) await pushDirectory(pushing, inner, to, depth + 1);
    } else if (kind === 'link') {
      const link = linkTarget(directory, name);
      await incus.makeLink(container.name, to, link, { ...owner, signal: app.signal });
    } else if (kind === 'file') await pushFile(pushing, directory, name, to);
    else app.report.warn(`${directory.displayPath(name)} was left out: it is a ${kind}`);
  }
}

async function pushFile(
  { incus, container, owner, progress, app }: PushState,
  directory: Directory,
  name: string,
  target: string,
): Promise<void> {
  const source = streamFrom(directory, name);
  if (!source) throw new FileError('failed', directory.displayPath(name), 'vanished');
  const { content, mode } = source;
  const options: FileOptions = { ...owner, mode, signal: app.signal, timeoutMs: uploadMs };
  content.on('data', (chunk: Buffer) => progress.add(chunk.length)).pause();
  try {
    await incus.writeFile(container.name, target, content as Readable, options);
  } finally {
    content.destroy();
  }
}
