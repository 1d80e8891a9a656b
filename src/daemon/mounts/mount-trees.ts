// The mounts of all sessions: <run dir>/mounts/<id>/<name>, one directory per reservation.
import { fstatSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ReservedMount } from '../../coid-api/reserved-mount.ts';
import type { MountRecord } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import { agentUser } from '../../guest-user.ts';
import { Beneath, openBeneathDescriptor } from '../../host/fs/beneath.ts';
import { fileSystemOf } from '../../host/fs/meta/file-system.ts';
import { MountTable } from '../../host/fs/meta/remote-mounts.ts';
import { O_PATH_DIRECTORY } from '../../host/linux/constants.ts';
import type { UserNamespaces } from '../../host/linux/id-maps.ts';
import { type Libc, SystemCallError } from '../../host/linux/libc.ts';
import {
  bindMount,
  canMapIds,
  makeMountPoint,
  mountPointsBelow,
  removeMounts,
  unmount,
} from '../../host/linux/mounts.ts';
import { quoted } from '../../names.ts';
import { lockedPaths, type WorkspaceRules } from '../../session/protect/overlap.ts';
import type { Ancestor } from '../../session/protect/protection-types.ts';
import { restrictAdditionalMount, restrictMountAroundGit } from '../protect/additional-mounts.ts';
import { guardIds, unmappedIds } from '../protect/guard/ids.ts';
import { unguardableError } from '../protect/guard/refusal.ts';
import type { CommonGuard } from '../protect/guard/shared-git-guard.ts';
import { SecretCovers } from '../protect/secret-covers.ts';
import type { OpenMount } from './open-mount.ts';
import { isTreeId } from './tree-id.ts';

/** The owner of a tree: their files belong to the agent inside. */
export interface TreeOwner extends Pick<MountRecord, 'id' | 'ownerUid' | 'ownerGid' | 'idmapBase'> {
  /** The agent has the owner's own ids, because some mount cannot be idmapped. */
  readonly ownIds?: true | undefined;
}

/** Guards and covers for a session's mounts. */
export interface SessionProtection {
  readonly ancestors: readonly Ancestor[];
  /** Paths to cover with an empty file or directory. */
  readonly secrets?: readonly string[] | undefined;
  /** .git and its content are read-only. */
  readonly readonlyGit?: boolean | undefined;
  /** If the file system cannot be guarded, mount without a guard instead of refusing. */
  readonly watch?: boolean | undefined;
  /** Restrictions that also apply to all other mounts that show the workspace. */
  readonly bound?: WorkspaceRules | undefined;
  /** Guard of the shared git directory, if the session has one. */
  readonly common?: CommonGuard | undefined;
}

/** Guards and covers for one mount. */
type MountProtection = Pick<
  SessionProtection,
  'ancestors' | 'secrets' | 'readonlyGit' | 'watch'
> & {
  /** Set if the mounted directory itself is guarded. */
  readonly own?: Ancestor | undefined;
};

export class MountTrees {
  /** Only for root: an idmapped mount would bypass the permissions of the directories above its source. */
  readonly directory: string;
  readonly #libc: Libc;
  readonly #namespaces: UserNamespaces;
  readonly #covers: SecretCovers;

  constructor(libc: Libc, namespaces: UserNamespaces, runDir: string) {
    this.#libc = libc;
    this.#namespaces = namespaces;
    this.directory = join(runDir, 'mounts');
    this.#covers = new SecretCovers(libc, runDir);
  }

  /**
   * Makes the mounts and replaces those of the same names. The workspace gets a submount for each guarded ancestor and
   * each secret. After a failure none of them is left. Throws `mount-invalid` or `unprotected-path`.
   */
  make(
    owner: TreeOwner,
    mounts: readonly OpenMount[],
    inside: SessionProtection = { ancestors: [] },
  ): ReservedMount[] {
    const made = this.#make(owner, mounts, inside);
    const kinds = new Set(made.map(({ kind }) => kind));
    // A container has one id map: if one mount needs the owner's own ids, all mounts use them.
    if (kinds.size < 2 || owner.ownIds || owner.ownerUid === 0) return made;
    return this.#make({ ...owner, ownIds: true }, mounts, inside);
  }

  #make(
    owner: TreeOwner,
    mounts: readonly OpenMount[],
    inside: SessionProtection,
  ): ReservedMount[] {
    const top = this.#path(owner.id);
    const made: ReservedMount[] = [];
    try {
      makeMountPoint(top);
      // Workspace and git directory first: the others are compared with them.
      for (const mount of mounts.toSorted((one, other) => rank(one) - rank(other))) {
        made.push(this.#mount(top, owner, mount, this.#protectionOf(top, mount, inside)));
      }
      return made;
    } catch (error) {
      removeMounts(
        this.#libc,
        top,
        mounts.map(({ request }) => request.name),
      );
      throw error instanceof SystemCallError
        ? new CoiError('mount-invalid', `cannot create the session's mounts (${error.message})`, {
            hint: 'Run `coi daemon logs` to see why.',
            cause: error,
          })
        : error;
    }
  }

  /** Tries it, which takes two system calls. Throws SystemCallError. */
  canMapIds(owner: TreeOwner, { fd }: OpenMount['source']): boolean {
    return canMapIds(this.#libc, fd, this.#namespace(owner, guardIds));
  }

  #protectionOf(top: string, mount: OpenMount, inside: SessionProtection): MountProtection {
    if (mount.request.name === 'workspace') return inside;
    if (mount.request.git !== undefined && inside.common)
      return { ...inside.common, watch: inside.watch };
    const { common } = inside;
    const ofGit = common?.own
      ? restrictMountAroundGit(join(top, common.name), mount, lockedPaths(common.ancestors))
      : [];
    return this.#additionalProtection(top, mount, inside, ofGit);
  }

  /** Guards and covers for an additional mount. Throws `unprotected-path`. */
  #additionalProtection(
    top: string,
    mount: OpenMount,
    { bound, watch }: SessionProtection,
    ofGit: readonly string[],
  ): MountProtection {
    if (!bound) return { ancestors: ofGit.map(wholeAncestor) };
    const workspace = join(top, 'workspace');
    const { secrets, readonlyGit, whole } = restrictAdditionalMount(
      this.#libc,
      workspace,
      mount,
      bound,
    );
    const git = readonlyGit ? gitDirectory(mount, this.#libc) : [];
    return {
      ancestors: [...git, ...[...whole, ...ofGit].map(wholeAncestor)],
      secrets,
      readonlyGit,
      watch,
    };
  }

  /** Unmounts and removes the tree, if it exists. */
  remove(id: string): void {
    removeMounts(this.#libc, this.#path(id));
  }

  /** Mounts ids with a directory, and the mounted names in each. */
  mountedNames(): Map<string, Set<string>> {
    const present = new Map(
      readdirSync(this.directory)
        .filter(isTreeId)
        .map((id) => [id, new Set<string>()]),
    );
    for (const path of mountPointsBelow(this.directory)) {
      const [id = '', name] = path.slice(this.directory.length + 1).split('/');
      if (name !== undefined) present.get(id)?.add(name);
    }
    return present;
  }

  /**
   * Unmounts coid's mounts of an unresponsive file system, because Incus accesses each mount when a container stops and
   * would block. Containers keep their mounts, and missing ones are restored when the file system responds.
   */
  detach(device: string): void {
    for (const { point } of new MountTable().mountsOf(device))
      if (point.startsWith(`${this.directory}/`)) unmount(this.#libc, point);
  }

  /** Whether a mount contains submounts, which the container needs as well. */
  hasSubmounts(id: string, name: string): boolean {
    return mountPointsBelow(join(this.#path(id), name)).size > 0;
  }

  #mount(
    top: string,
    owner: TreeOwner,
    { request, source }: OpenMount,
    { ancestors, own, secrets = [], readonlyGit = false, watch = false }: MountProtection,
  ): ReservedMount {
    const target = join(top, request.name);
    makeMountPoint(target);
    unmount(this.#libc, target);
    const { readonly } = request;
    const namespace = this.#namespace(owner, own ? unmappedIds(own.depth) : guardIds);
    const kind = bindMount(this.#libc, { source: source.fd, target, readonly, namespace });
    const guarded = kind === 'plain' && watch ? [] : ancestors;
    if (guarded.length > 0 && kind === 'plain') throw unguardableError(source);
    for (const ancestor of guarded) {
      const sealed = ancestor.readonly || (readonlyGit && ancestor.inGit);
      const plain = { source: source.fd, target, readonly: readonly || sealed };
      this.#mountAncestor(owner, plain, ancestor);
    }
    if (secrets.length > 0) {
      const namespace = this.#namespace(owner, guardIds);
      using shown = new Beneath(this.#libc, openSync(target, O_PATH_DIRECTORY));
      for (const path of secrets) this.#covers.put(shown, path, namespace);
    }
    const fileSystem = kind === 'plain' ? { fileSystem: fileSystemOf(source.fd)?.type } : {};
    const made = { name: request.name, hostPath: target, kind, ...fileSystem };
    const whole = lockedPaths(guarded).map((path) => join(source.path, path));
    return {
      ...made,
      ...(guarded.length + secrets.length > 0 ? { recursive: true } : {}),
      ...(whole.length > 0 ? { whole } : {}),
    };
  }

  /** Mounts a guarded directory on itself, so that it is writable in the container. */
  #mountAncestor(
    owner: TreeOwner,
    { source, target, readonly }: { source: number; target: string; readonly: boolean },
    { path, depth }: Ancestor,
  ): void {
    using original = openBeneathDescriptor(this.#libc, source);
    using shown = new Beneath(this.#libc, openSync(target, O_PATH_DIRECTORY));
    const done = original.with(path, (from) =>
      shown.with(path, (onto) => {
        // Different inodes mean that the directory is being swapped.
        if (fstatSync(from).ino !== fstatSync(onto).ino) return false;
        const namespace = this.#namespace(owner, unmappedIds(depth));
        bindMount(this.#libc, { source: from, target: onto, readonly, namespace });
        return true;
      }),
    );
    if (!done)
      throw new CoiError('unprotected-path', `${quoted(path)} changed while it was protected`);
  }

  /** Maps the owner to the agent; ids of guards stay unmapped. */
  #namespace(owner: TreeOwner, unmapped: readonly number[]): number {
    const { ownerUid, ownerGid, ownIds = false, idmapBase } = owner;
    const agent = idmapBase + agentUser.uid;
    return this.#namespaces.descriptor(
      { onDisk: ownerUid, shown: ownIds ? ownerUid : agent },
      // Root's group is never the agent's (rawIdmap of session/plan/plan.ts).
      { onDisk: ownerGid, shown: ownIds && ownerGid !== 0 ? ownerGid : agent },
      unmapped,
    );
  }

  #path(id: string): string {
    if (!isTreeId(id)) throw new Error(`${id} is not a mounts id`);
    return join(this.directory, id);
  }
}

function rank({ request }: OpenMount): number {
  if (request.name === 'workspace') return 0;
  return request.git === undefined ? 2 : 1;
}

/** `.git`, if it is a directory, as a read-only submount. */
function gitDirectory({ source }: OpenMount, libc: Libc): readonly Ancestor[] {
  using below = openBeneathDescriptor(libc, source.fd);
  const isThere = below.stats('.git')?.isDirectory() ?? false;
  return isThere ? [{ path: '.git', depth: 1, by: 'group', inGit: true, readonly: true }] : [];
}

/** A directory that is read-only as a whole, in an additional mount that shows it. */
function wholeAncestor(path: string): Ancestor {
  return { path, depth: 1, by: 'group', inGit: true, readonly: true };
}
