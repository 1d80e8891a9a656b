// Opens what a session wants mounted: with the rights of who asks, and only what may be mounted. What a container can
// write may be exchanged at any moment, so from there on no link is followed, and all later steps use the descriptors.
import { closeSync, type Stats } from 'node:fs';
import type { MountRequest } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import { closedAt } from '../../host/fs/meta/file-system.ts';
import { type FileIds, mayRead, openWithoutLinks, type Source } from '../../host/fs/open-source.ts';
import { ForeignLinkError, openBeneath, openStepwise } from '../../host/fs/open-step.ts';
import type { Libc } from '../../host/linux/libc.ts';
import { quoted } from '../../names.ts';
import { closedPlace } from '../../session/plan/closed-directory.ts';
import { mountRefusal, type SensitivePaths } from '../../session/plan/mount-rules.ts';
import { refuseForeignCommon } from './common-directory.ts';
import type { MountRoot, MountRoots } from './mount-roots.ts';
import type { OpenMount } from './open-mount.ts';
import type { RemoteFiles } from './remote-files.ts';

export interface SourceOptions {
  readonly libc: Libc;
  /** Whose rights count. */
  readonly ids: FileIds;
  readonly session: string;
  readonly workspace: string;
  readonly sensitive: SensitivePaths;
  readonly roots: Pick<MountRoots, 'writable' | 'isSame'>;
  /** Which do not answer: they are not looked at. */
  readonly files: Pick<RemoteFiles, 'isHeld'>;
  /** What was mounted for that session before. It may be opened where that user does not get to (any more). */
  readonly before?: readonly MountRoot[];
  /** Nobody asks for it anew: only what was mounted before, and if it still is the same. */
  readonly onlyBefore?: boolean;
}

/** Of the mount that every session has. */
const workspaceName = 'workspace';

/** Opens sources one after the other; closes them all when disposed. */
export class Sources implements Disposable {
  readonly all: OpenMount[] = [];
  readonly #options: SourceOptions;
  readonly #isWritable: (stats: Stats) => boolean;
  readonly #opened = new Set<Source>();
  #workspace: Source | undefined;

  constructor(options: SourceOptions) {
    this.#options = options;
    const known = options.roots.writable();
    // Those of this session too: the next start is to find the same rules as this one.
    this.#isWritable = (stats) => known(stats) || this.#own().some((own) => isOne(own, stats));
  }

  [Symbol.dispose](): void {
    for (const { fd } of this.#opened) closeSync(fd);
    this.#opened.clear();
    this.all.length = 0;
  }

  /** Opened once, so that what is guarded is what is mounted. Throws `workspace-invalid`. */
  workspace(): Source {
    const { workspace: source } = this.#options;
    this.#workspace ??= this.#one({ name: workspaceName, source, readonly: false });
    return this.#workspace;
  }

  /** Throws `workspace-invalid` or `mount-invalid`. */
  open(mounts: readonly MountRequest[]): readonly OpenMount[] {
    // First, so that the directories in it are known as such.
    if (mounts.some((mount) => this.#isInWorkspace(mount))) this.workspace();
    const opened = mounts.map((request) => ({ request, source: this.#sourceOf(request) }));
    this.all.push(...opened);
    // A later one may be writable, and have a link of an earlier one in it.
    for (const { request, source } of opened) {
      if (this.#insideOf(request) !== undefined || request.source === source.path) continue;
      const again = this.#one(request);
      if (!isOne(again, source.stats))
        throw refusal(request.source, this.#options.workspace)('changed while it was opened');
    }
    // What was mounted before is known by its inode.
    for (const { request, source } of this.#options.onlyBefore ? [] : opened)
      if (request.git !== undefined) this.#refuseForeignCommon(request, source);
    return opened;
  }

  #refuseForeignCommon({ source: asked, git: worktree }: MountRequest, source: Source): void {
    const { libc, ids } = this.#options;
    const workspace = this.workspace();
    const owner = ids.uid === 0 ? workspace.stats.uid : ids.uid;
    refuseForeignCommon(libc, workspace, { source, asked, worktree, owner });
  }

  /** Those that were opened and will be writable. */
  #own(): readonly Source[] {
    const writable = this.all.filter(({ request }) => !request.readonly);
    return [...(this.#workspace ? [this.#workspace] : []), ...writable.map(({ source }) => source)];
  }

  #sourceOf(request: MountRequest): Source {
    return request.source === this.#options.workspace && !request.readonly
      ? this.workspace()
      : this.#one(request);
  }

  #isInWorkspace(request: MountRequest): boolean {
    return this.#insideOf(request) !== undefined || request.source === this.#options.workspace;
  }

  /** The path below the workspace, by what was judged or by the name. */
  #insideOf({ name, source, inside }: MountRequest): string | undefined {
    // The workspace itself is what the others lie in, also where one of them shows the same directory.
    if (name === workspaceName) return undefined;
    const top = `${this.#options.workspace}/`;
    return inside ?? (source.startsWith(top) ? source.slice(top.length) : undefined);
  }

  #one(asked: MountRequest): Source {
    const { libc, ids, session, workspace, sensitive, roots, files, onlyBefore } = this.#options;
    const { source: path, readonly } = asked;
    const refuse = refusal(path, workspace);
    const before = this.#before(asked);
    if (onlyBefore && !before)
      throw refuse('is not among what coid mounted for this session', askAnew);
    if ([path, before?.path ?? path].some((one) => files.isHeld(one)))
      throw refuse('lies on a file system that does not answer', 'See `coi health`.');
    // The record of a container was written by a user; what coid judged is in its own.
    const { inside, git } = before ?? {};
    const request = onlyBefore ? { ...asked, inside, git } : asked;
    const below = this.#insideOf(request);
    const { source, byRoot } = this.#opening(path, below, before, refuse);
    this.#opened.add(source);
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
    // What lies in the workspace is another directory after any checkout; that it lies there is what counts.
    const hasToBeSame = byRoot || (onlyBefore && below === undefined);
    if (before && hasToBeSame && !roots.isSame(before, source.stats))
      throw refuse('is not what was mounted before: another directory is there now', askAnew);
    if (!byRoot && !onlyBefore && !mayRead(libc, ids, source))
      throw refuse('cannot be read by this user', 'Check its permissions.');
    return source;
  }

  /** What was mounted from that source, unless it is to be writable now and was not. */
  #before({ name, source, readonly }: MountRequest): MountRoot | undefined {
    const roots = (this.#options.before ?? []).filter(
      (root) => root.source === source && (readonly || !root.readonly),
    );
    return roots.find((root) => root.name === name) ?? roots[0];
  }

  #opening(
    path: string,
    below: string | undefined,
    before: MountRoot | undefined,
    refuse: Refuse,
  ): { readonly source: Source; readonly byRoot: boolean } {
    const { libc, ids } = this.#options;
    try {
      const source =
        below === undefined
          ? openStepwise(libc, ids, path, this.#isWritable)
          : openBeneath(libc, ids, this.workspace().fd, below);
      return { source, byRoot: false };
    } catch (error) {
      if (!before || (error as { code?: string }).code !== 'EACCES')
        throw explained(error, path, below, refuse);
      // The way there is closed to that user; that it is the same directory is what allows it.
      return { source: openedByRoot(libc, before, refuse), byRoot: true };
    }
  }
}

function openedByRoot(libc: Libc, { path }: MountRoot, refuse: Refuse): Source {
  try {
    return openWithoutLinks(libc, path);
  } catch (error) {
    throw explained(error, path, undefined, refuse);
  }
}

type Refuse = (what: string, hint?: string, cause?: unknown) => CoiError;

/** Whoever asks for a session is asked for its mounts anew; whoever only starts a container is not. */
const askAnew =
  'Look at what is there. If it is right, start the session with `coi shell` in its workspace, which mounts it anew.';

function refusal(path: string, workspace: string): Refuse {
  const [code, noun] =
    path === workspace
      ? (['workspace-invalid', 'workspace'] as const)
      : (['mount-invalid', 'directory'] as const);
  return (what, hint, cause) =>
    new CoiError(code, `the ${noun} ${quoted(path)} ${what}`, { hint, cause });
}

function explained(
  error: unknown,
  path: string,
  below: string | undefined,
  refuse: Refuse,
): unknown {
  if (error instanceof CoiError) return error;
  if (error instanceof ForeignLinkError)
    return refuse(
      `leads through the link ${quoted(error.link)}, which a session could have placed: it can write in ${quoted(error.tree)}`,
      'Name the directory that it leads to, if you trust it.',
      error,
    );
  const code = (error as { code?: string }).code;
  if (below !== undefined && (code === 'ELOOP' || code === 'EXDEV'))
    return refuse(
      'leads through a link in the workspace, which a session could have placed',
      'Name the directory that it leads to, if you trust it.',
      error,
    );
  if (code === 'ENOENT') return refuse('does not exist', 'Create it, or name another.', error);
  if (code === 'ENOTDIR') return refuse('is not below a directory', undefined, error);
  const closed = closedAt(path, code);
  if (closed) {
    const { what, hint } = closedPlace(closed);
    return refuse(what, hint, error);
  }
  if (code === 'EACCES' || code === 'EPERM')
    return refuse(
      'cannot be reached by this user',
      'Check the permissions of the directories above it.',
      error,
    );
  if (code === 'ELOOP')
    return refuse('leads through links that go round or into /proc', undefined, error);
  return refuse(`cannot be opened (${code ?? String(error)})`, undefined, error);
}

function isOne(source: Source, { dev, ino }: Pick<Stats, 'dev' | 'ino'>): boolean {
  return source.stats.dev === dev && source.stats.ino === ino;
}
