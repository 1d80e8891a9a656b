// Opens what a reservation wants mounted: with the rights of who asks, and only what may be mounted.
import { closeSync } from 'node:fs';
import { CoiError } from '../errors.ts';
import type { Libc } from '../host/libc.ts';
import {
  type FileIds,
  mayRead,
  openAs,
  openWithoutLinks,
  type Source,
} from '../host/open-source.ts';
import { quoted } from '../names.ts';
import { mountRefusal, type SensitivePaths } from '../session/mounts.ts';
import type { MountRequest } from './protocol.ts';

export interface OpenMount {
  readonly request: MountRequest;
  readonly source: Source;
}

export interface OpenSourcesOptions {
  readonly libc: Libc;
  /** Whose rights count. */
  readonly ids: FileIds;
  readonly session: string;
  readonly workspace: string;
  readonly sensitive: SensitivePaths;
  /** If that user cannot get there, open it as root, but then through no link: for mounts that were allowed before. */
  readonly again?: boolean;
}

/** Opened mounts; closes them all when disposed. */
export class OpenMounts implements Disposable {
  readonly all: OpenMount[] = [];

  [Symbol.dispose](): void {
    for (const { source } of this.all) closeSync(source.fd);
    this.all.length = 0;
  }
}

/** Throws `workspace-invalid` or `mount-invalid`, with nothing left open. */
export function openSources(
  mounts: readonly MountRequest[],
  options: OpenSourcesOptions,
): OpenMounts {
  const opened = new OpenMounts();
  try {
    for (const request of mounts)
      opened.all.push({ request, source: openSource(request, options) });
    return opened;
  } catch (error) {
    opened[Symbol.dispose]();
    throw error;
  }
}

function openSource({ source: path, readonly }: MountRequest, options: OpenSourcesOptions): Source {
  const { libc, ids, session, workspace, sensitive } = options;
  const refuse = refusal(path, workspace);
  const source = opened(path, options, refuse);
  try {
    const reason = mountRefusal({ path: source.path, readonly, uid: ids.uid, session }, sensitive);
    const shown = source.path === path ? '' : `: it leads to ${quoted(source.path)}, which`;
    if (reason)
      throw refuse(
        `may not be mounted${shown || ', since it'} ${reason}`,
        'Choose a project directory of your own.',
      );
    if (!source.stats.isDirectory())
      throw refuse('is not a directory', 'Give the directory that holds it.');
    if (source.stats.nlink === 0) throw refuse('was removed just now');
    if (!options.again && !mayRead(libc, ids, source))
      throw refuse('cannot be read by this user', 'Check its permissions.');
    return source;
  } catch (error) {
    closeSync(source.fd);
    throw error;
  }
}

type Refuse = (what: string, hint?: string, cause?: unknown) => CoiError;

function refusal(path: string, workspace: string): Refuse {
  const [code, noun] =
    path === workspace
      ? (['workspace-invalid', 'workspace'] as const)
      : (['mount-invalid', 'directory'] as const);
  return (what, hint, cause) =>
    new CoiError(code, `the ${noun} ${quoted(path)} ${what}`, { hint, cause });
}

function opened(path: string, { libc, ids, again }: OpenSourcesOptions, refuse: Refuse): Source {
  try {
    return openAs(libc, ids, path);
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (again && code === 'EACCES') return openWithoutLinks(libc, path);
    if (code === 'ENOENT') throw refuse('does not exist', 'Create it, or name another.', error);
    if (code === 'ENOTDIR') throw refuse('is not below a directory', undefined, error);
    if (code === 'EACCES' || code === 'EPERM')
      throw refuse(
        'cannot be reached by this user',
        'Check the permissions of the directories above it.',
        error,
      );
    if (code === 'ELOOP')
      throw refuse('leads through links that go round or into /proc', undefined, error);
    throw refuse(`cannot be opened (${code ?? String(error)})`, undefined, error);
  }
}

/** Those of the wanted ones that were not allowed before. */
export function newMounts(
  before: readonly MountRequest[],
  wanted: readonly MountRequest[],
): MountRequest[] {
  return wanted.filter(
    (mount) =>
      !before.some(
        ({ source, readonly }) => source === mount.source && (mount.readonly || !readonly),
      ),
  );
}
