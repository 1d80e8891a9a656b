// Opens the mount sources of a session with the rights of the requesting user, and refuses forbidden ones. A container can
// replace what it can write at any moment, so links in there are not followed, and all later steps use the descriptors.
import { closeSync, type Stats } from 'node:fs';
import type { MountRequest } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import { fuseProblemAt } from '../../host/fs/meta/file-system.ts';
import {
  canRead,
  type FileIds,
  type OpenSource,
  openWithoutLinks,
} from '../../host/fs/open-mount-source.ts';
import { ForeignLinkError, openBeneath, openStepwise } from '../../host/fs/open-stepwise.ts';
import type { Libc } from '../../host/linux/libc.ts';
import { quoted } from '../../names.ts';
import { describeInaccessible } from '../../session/plan/inaccessible-directory.ts';
import { mountRefusal, type SensitivePaths } from '../../session/plan/mount-rules.ts';
import { refuseForeignCommon } from './common-directory.ts';
import type { MountRoot, MountRoots } from './mount-roots.ts';
import type { OpenMount } from './open-mount.ts';
import type { RemoteFileSystems } from './remote-file-systems.ts';

export interface SourceOptions {
  readonly libc: Libc;
  /** The rights to open with. */
  readonly ids: FileIds;
  readonly session: string;
  readonly workspace: string;
  readonly sensitive: SensitivePaths;
  readonly roots: Pick<MountRoots, 'writable' | 'isSame'>;
  /** Unresponsive file systems are refused without access. */
  readonly files: Pick<RemoteFileSystems, 'isUnresponsive'>;
  /** Earlier mounts of the session. They may be opened even if the user cannot reach them (any more). */
  readonly earlier?: readonly MountRoot[];
  /** No new request: only earlier mounts with an unchanged identity. */
  readonly onlyEarlier?: boolean;
}

/** Name of the mount that every session has. */
const workspaceName = 'workspace';

/** Opens sources in order; disposing closes all of them. */
export class MountSources implements Disposable {
  readonly all: OpenMount[] = [];
  readonly #options: SourceOptions;
  readonly #isWritable: (stats: Stats) => boolean;
  readonly #opened = new Set<OpenSource>();
  #workspace: OpenSource | undefined;

  constructor(options: SourceOptions) {
    this.#options = options;
    const known = options.roots.writable();
    // Includes this session's own mounts, so that the next start follows the same rules.
    this.#isWritable = (stats) =>
      known(stats) || this.#own().some((own) => isSameDirectory(own, stats));
  }

  [Symbol.dispose](): void {
    for (const { fd } of this.#opened) closeSync(fd);
    this.#opened.clear();
    this.all.length = 0;
  }

  /** Opens the workspace only once, so that the guarded directory is the mounted one. Throws `workspace-invalid`. */
  workspace(): OpenSource {
    const { workspace: source } = this.#options;
    this.#workspace ??= this.#openOne({ name: workspaceName, source, readonly: false });
    return this.#workspace;
  }

  /** Throws `workspace-invalid` or `mount-invalid`. */
  open(mounts: readonly MountRequest[]): readonly OpenMount[] {
    // First, so that directories in it are recognized.
    if (mounts.some((mount) => this.#isInWorkspace(mount))) this.workspace();
    const opened = mounts.map((request) => ({ request, source: this.#openRequest(request) }));
    this.all.push(...opened);
    // A later source may be writable and contain a link on the path of an earlier one.
    for (const { request, source } of opened) {
      if (this.#insideOf(request) !== undefined || request.source === source.path) continue;
      const again = this.#openOne(request);
      if (!isSameDirectory(again, source.stats))
        throw refusal(request.source, this.#options.workspace)('changed while it was opened');
    }
    // Earlier mounts are verified by their inode.
    for (const { request, source } of this.#options.onlyEarlier ? [] : opened)
      if (request.git !== undefined) this.#refuseForeignCommon(request, source);
    return opened;
  }

  #refuseForeignCommon(
    { source: requestedPath, git: worktree }: MountRequest,
    source: OpenSource,
  ): void {
    const { libc, ids } = this.#options;
    const workspace = this.workspace();
    const owner = ids.uid === 0 ? workspace.stats.uid : ids.uid;
    refuseForeignCommon(libc, workspace, { source, requestedPath, worktree, owner });
  }

  /** Those that were opened and will be writable. */
  #own(): readonly OpenSource[] {
    const writable = this.all.filter(({ request }) => !request.readonly);
    return [...(this.#workspace ? [this.#workspace] : []), ...writable.map(({ source }) => source)];
  }

  #openRequest(request: MountRequest): OpenSource {
    return request.source === this.#options.workspace && !request.readonly
      ? this.workspace()
      : this.#openOne(request);
  }

  #isInWorkspace(request: MountRequest): boolean {
    return this.#insideOf(request) !== undefined || request.source === this.#options.workspace;
  }

  /** The path in the workspace, as recorded or by name. */
  #insideOf({ name, source, inside }: MountRequest): string | undefined {
    // Not the workspace itself, even if another mount shows the same directory.
    if (name === workspaceName) return undefined;
    const top = `${this.#options.workspace}/`;
    return inside ?? (source.startsWith(top) ? source.slice(top.length) : undefined);
  }

  #openOne(original: MountRequest): OpenSource {
    const { libc, ids, session, workspace, sensitive, roots, files, onlyEarlier } = this.#options;
    const { source: path, readonly } = original;
    const refuse = refusal(path, workspace);
    const before = this.#earlierMount(original);
    if (onlyEarlier && !before)
      throw refuse('is not one of the directories that coid mounted for this session', remountHint);
    if ([path, before?.path ?? path].some((one) => files.isUnresponsive(one)))
      throw refuse('lies on a file system that does not answer', 'Run `coi health`.');
    // Users can write a container's record, so coid's own record decides.
    const { inside, git } = before ?? {};
    const request = onlyEarlier ? { ...original, inside, git } : original;
    const below = this.#insideOf(request);
    const { source, byRoot } = this.#openPath(path, below, before, refuse);
    this.#opened.add(source);
    const reason = mountRefusal({ path: source.path, readonly, uid: ids.uid, session }, sensitive);
    const shown = source.path === path ? '' : `: it leads to ${quoted(source.path)}, which`;
    if (reason)
      throw refuse(
        `may not be mounted${shown || ', since it'} ${reason}`,
        'Choose a project directory of your own.',
      );
    if (!source.stats.isDirectory())
      throw refuse('is not a directory', 'Name the directory that contains it.');
    if (source.stats.nlink === 0) throw refuse('no longer exists');
    // A checkout may replace directories in the workspace, so for them only the path counts.
    const hasToBeSame = byRoot || (onlyEarlier && below === undefined);
    if (before && hasToBeSame && !roots.isSame(before, source.stats))
      throw refuse('is not the directory that was mounted before', remountHint);
    if (!byRoot && !onlyEarlier && !canRead(libc, ids, source))
      throw refuse('cannot be read by this user', 'Check its permissions.');
    return source;
  }

  /** The earlier mount of that source, unless it was read-only and now has to be writable. */
  #earlierMount({ name, source, readonly }: MountRequest): MountRoot | undefined {
    const roots = (this.#options.earlier ?? []).filter(
      (root) => root.source === source && (readonly || !root.readonly),
    );
    return roots.find((root) => root.name === name) ?? roots[0];
  }

  #openPath(
    path: string,
    below: string | undefined,
    before: MountRoot | undefined,
    refuse: Refuse,
  ): { readonly source: OpenSource; readonly byRoot: boolean } {
    const { libc, ids } = this.#options;
    try {
      const source =
        below === undefined
          ? openStepwise(libc, ids, path, this.#isWritable)
          : openBeneath(libc, ids, this.workspace().fd, below);
      return { source, byRoot: false };
    } catch (error) {
      if (!before || (error as { code?: string }).code !== 'EACCES')
        throw explain(error, path, below, refuse);
      // The user cannot reach it, but it is allowed if it is the same directory as before.
      return { source: openAsRoot(libc, before, refuse), byRoot: true };
    }
  }
}

function openAsRoot(libc: Libc, { path }: MountRoot, refuse: Refuse): OpenSource {
  try {
    return openWithoutLinks(libc, path);
  } catch (error) {
    throw explain(error, path, undefined, refuse);
  }
}

type Refuse = (what: string, hint?: string, cause?: unknown) => CoiError;

/** `coi shell` requests the mounts again; starting the container does not. */
const remountHint =
  'Check the directory. If it is right, run `coi shell` in the workspace to mount it again.';

function refusal(path: string, workspace: string): Refuse {
  const [code, noun] =
    path === workspace
      ? (['workspace-invalid', 'workspace'] as const)
      : (['mount-invalid', 'directory'] as const);
  return (what, hint, cause) =>
    new CoiError(code, `the ${noun} ${quoted(path)} ${what}`, { hint, cause });
}

function explain(error: unknown, path: string, below: string | undefined, refuse: Refuse): unknown {
  if (error instanceof CoiError) return error;
  if (error instanceof ForeignLinkError)
    return refuse(
      `leads through the link ${quoted(error.link)}, which a session could have created: it can write to ${quoted(error.tree)}`,
      'Name the directory that it leads to, if you trust it.',
      error,
    );
  const code = (error as { code?: string }).code;
  if (below !== undefined && (code === 'ELOOP' || code === 'EXDEV'))
    return refuse(
      'leads through a link in the workspace, which a session could have created',
      'Name the directory that it leads to, if you trust it.',
      error,
    );
  if (code === 'ENOENT') return refuse('does not exist', 'Create it, or name another.', error);
  if (code === 'ENOTDIR') return refuse('has a parent that is not a directory', undefined, error);
  const closed = fuseProblemAt(path, code);
  if (closed) {
    const { what, hint } = describeInaccessible(closed);
    return refuse(what, hint, error);
  }
  if (code === 'EACCES' || code === 'EPERM')
    return refuse(
      'cannot be reached by this user',
      'Check the permissions of the directories above it.',
      error,
    );
  if (code === 'ELOOP')
    return refuse('contains a symlink loop or a link into /proc', undefined, error);
  return refuse(`cannot be opened (${code ?? String(error)})`, undefined, error);
}

function isSameDirectory(source: OpenSource, { dev, ino }: Pick<Stats, 'dev' | 'ino'>): boolean {
  return source.stats.dev === dev && source.stats.ino === ino;
}
