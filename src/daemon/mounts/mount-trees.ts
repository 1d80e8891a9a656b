// The mounts of all sessions: <run dir>/mounts/<id>/<name>, one directory per reservation.
import { fstatSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ReservedMount } from '../../coid-api/reserved-mount.ts';
import type { MountRecord } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import { agentUser } from '../../guest-user.ts';
import { Below, belowDescriptor } from '../../host/fs/beneath.ts';
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
import { type Bound, wholeOf } from '../../session/protect/overlap.ts';
import type { Ancestor } from '../../session/protect/protection-types.ts';
import { insideAroundGit, insideOfFurther } from '../protect/further-mounts.ts';
import { guardIds, leftOut } from '../protect/guard/ids.ts';
import { unguardable } from '../protect/guard/refusal.ts';
import type { CommonGuard } from '../protect/guard/shared-git-guard.ts';
import { Covers } from '../protect/secret-covers.ts';
import type { OpenMount } from './open-mount.ts';
import { isTreeId } from './tree-id.ts';

/** uid and gid of the agent's user in every container. */
/** O_PATH, which Node has no name for. */

/** For whom a tree is: what the owner has on disk belongs to the agent inside. */
export interface TreeOwner extends Pick<MountRecord, 'id' | 'ownerUid' | 'ownerGid' | 'idmapBase'> {
  /** The agent has the owner's ids as they are, because some mount cannot show them as others. */
  readonly ownIds?: true | undefined;
}

/** What a workspace gets inside. */
export interface Inside {
  readonly ancestors: readonly Ancestor[];
  /** Covered with nothing. */
  readonly secrets?: readonly string[] | undefined;
  /** .git and what is in it cannot be written through its mounts. */
  readonly readonlyGit?: boolean | undefined;
  /** Where nothing can be guarded: mounts without a guard instead of none. */
  readonly watch?: boolean | undefined;
  /** What also holds in every other mount of the session that shows the workspace. */
  readonly bound?: Bound | undefined;
  /** What git's directory elsewhere gets, where the session has one. */
  readonly common?: CommonGuard | undefined;
}

/** What one mount gets. */
type Within = Pick<Inside, 'ancestors' | 'secrets' | 'readonlyGit' | 'watch'> & {
  /** Its own directory is a guarded one. */
  readonly own?: Ancestor | undefined;
};

export class MountTrees {
  /** Of root alone: through an idmapped mount others could reach what directories above the source keep from them. */
  readonly directory: string;
  readonly #libc: Libc;
  readonly #namespaces: UserNamespaces;
  readonly #covers: Covers;

  constructor(libc: Libc, namespaces: UserNamespaces, runDir: string) {
    this.#libc = libc;
    this.#namespaces = namespaces;
    this.directory = join(runDir, 'mounts');
    this.#covers = new Covers(libc, runDir);
  }

  /**
   * Makes the mounts, replacing those of the same names; the workspace gets a mount in itself for each of its guarded
   * ancestors and each secret. After a failure none of them is left. Throws `mount-invalid` or `unprotected-path`.
   */
  make(
    owner: TreeOwner,
    mounts: readonly OpenMount[],
    inside: Inside = { ancestors: [] },
  ): ReservedMount[] {
    const made = this.#make(owner, mounts, inside);
    const kinds = new Set(made.map(({ kind }) => kind));
    // One container has one map: where the agent has to have the owner's own ids on one mount, it has them on all.
    if (kinds.size < 2 || owner.ownIds || owner.ownerUid === 0) return made;
    return this.#make({ ...owner, ownIds: true }, mounts, inside);
  }

  #make(owner: TreeOwner, mounts: readonly OpenMount[], inside: Inside): ReservedMount[] {
    const top = this.#path(owner.id);
    const made: ReservedMount[] = [];
    try {
      makeMountPoint(top);
      // Git's directory first: the others are compared with it.
      for (const mount of mounts.toSorted((one, other) => rank(one) - rank(other))) {
        made.push(this.#mount(top, owner, mount, this.#within(top, mount, inside)));
      }
      return made;
    } catch (error) {
      removeMounts(
        this.#libc,
        top,
        mounts.map(({ request }) => request.name),
      );
      throw error instanceof SystemCallError
        ? new CoiError(
            'mount-invalid',
            `the mounts of the session cannot be made (${error.message})`,
            { hint: 'Run `coi daemon logs` to see why.', cause: error },
          )
        : error;
    }
  }

  /** Tried; costs two system calls. Throws SystemCallError. */
  canMapIds(owner: TreeOwner, { fd }: OpenMount['source']): boolean {
    return canMapIds(this.#libc, fd, this.#namespace(owner, guardIds));
  }

  #within(top: string, mount: OpenMount, inside: Inside): Within {
    if (mount.request.name === 'workspace') return inside;
    if (mount.request.git !== undefined && inside.common)
      return { ...inside.common, watch: inside.watch };
    const { common } = inside;
    const ofGit = common?.own
      ? insideAroundGit(join(top, common.name), mount, wholeOf(common.ancestors))
      : [];
    return this.#further(top, mount, inside, ofGit);
  }

  /** What a mount beside the workspace's own gets inside. Throws `unprotected-path`. */
  #further(
    top: string,
    mount: OpenMount,
    { bound, watch }: Inside,
    ofGit: readonly string[],
  ): Within {
    if (!bound) return { ancestors: ofGit.map(heldWhole) };
    const workspace = join(top, 'workspace');
    const { secrets, readonlyGit, whole } = insideOfFurther(this.#libc, workspace, mount, bound);
    const git = readonlyGit ? gitDirectory(mount, this.#libc) : [];
    return {
      ancestors: [...git, ...[...whole, ...ofGit].map(heldWhole)],
      secrets,
      readonlyGit,
      watch,
    };
  }

  /** Unmounts and removes; does nothing if there is nothing. */
  remove(id: string): void {
    removeMounts(this.#libc, this.#path(id));
  }

  /** Ids that have a directory, with the names of what is really mounted in each. */
  present(): Map<string, Set<string>> {
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
   * Takes away what of a file system is mounted, since it does not answer: Incus looks at each when a container ends, and would
   * wait. Containers keep theirs, and what is missing is mounted again when it answers.
   */
  detach(device: string): void {
    for (const { point } of new MountTable().of(device))
      if (point.startsWith(`${this.directory}/`)) unmount(this.#libc, point);
  }

  /** A mount that is there holds further ones, which the container has to get as well. */
  holdsMounts(id: string, name: string): boolean {
    return mountPointsBelow(join(this.#path(id), name)).size > 0;
  }

  #mount(
    top: string,
    owner: TreeOwner,
    { request, source }: OpenMount,
    { ancestors, own, secrets = [], readonlyGit = false, watch = false }: Within,
  ): ReservedMount {
    const target = join(top, request.name);
    makeMountPoint(target);
    unmount(this.#libc, target);
    const { readonly } = request;
    const namespace = this.#namespace(owner, own ? leftOut(own.depth) : guardIds);
    const kind = bindMount(this.#libc, { source: source.fd, target, readonly, namespace });
    const guarded = kind === 'plain' && watch ? [] : ancestors;
    if (guarded.length > 0 && kind === 'plain') throw unguardable(source);
    for (const ancestor of guarded) {
      const sealed = ancestor.readonly || (readonlyGit && ancestor.inGit);
      const plain = { source: source.fd, target, readonly: readonly || sealed };
      this.#mountAncestor(owner, plain, ancestor);
    }
    if (secrets.length > 0) {
      const namespace = this.#namespace(owner, guardIds);
      using shown = new Below(this.#libc, openSync(target, O_PATH_DIRECTORY));
      for (const path of secrets) this.#covers.put(shown, path, namespace);
    }
    const fileSystem = kind === 'plain' ? { fileSystem: fileSystemOf(source.fd)?.type } : {};
    const made = { name: request.name, hostPath: target, kind, ...fileSystem };
    const whole = wholeOf(guarded).map((path) => join(source.path, path));
    return {
      ...made,
      ...(guarded.length + secrets.length > 0 ? { recursive: true } : {}),
      ...(whole.length > 0 ? { whole } : {}),
    };
  }

  /** A second mount of a guarded directory on itself, through which it can be written in. */
  #mountAncestor(
    owner: TreeOwner,
    { source, target, readonly }: { source: number; target: string; readonly: boolean },
    { path, depth }: Ancestor,
  ): void {
    using original = belowDescriptor(this.#libc, source);
    using shown = new Below(this.#libc, openSync(target, O_PATH_DIRECTORY));
    const done = original.with(path, (from) =>
      shown.with(path, (onto) => {
        // Both ways led to one directory, or somebody swaps them just now.
        if (fstatSync(from).ino !== fstatSync(onto).ino) return false;
        const namespace = this.#namespace(owner, leftOut(depth));
        bindMount(this.#libc, { source: from, target: onto, readonly, namespace });
        return true;
      }),
    );
    if (!done)
      throw new CoiError('unprotected-path', `${quoted(path)} changed while it was protected`);
  }

  /** The owner is shown as the agent; what is guarded is shown as nobody's. */
  #namespace(owner: TreeOwner, unmapped: readonly number[]): number {
    const { ownerUid, ownerGid, ownIds = false, idmapBase } = owner;
    const agent = idmapBase + agentUser.uid;
    return this.#namespaces.descriptor(
      { onDisk: ownerUid, shown: ownIds ? ownerUid : agent },
      // Root's group is never the agent's (plainIds of session/plan/plan.ts).
      { onDisk: ownerGid, shown: ownIds && ownerGid !== 0 ? ownerGid : agent },
      unmapped,
    );
  }

  #path(id: string): string {
    if (!isTreeId(id)) throw new Error(`${id} is no id of mounts`);
    return join(this.directory, id);
  }
}

function rank({ request }: OpenMount): number {
  if (request.name === 'workspace') return 0;
  return request.git === undefined ? 2 : 1;
}

/** `.git`, where it is a directory, for a mount on itself that cannot be written. */
function gitDirectory({ source }: OpenMount, libc: Libc): readonly Ancestor[] {
  using below = belowDescriptor(libc, source.fd);
  const isThere = below.stats('.git')?.isDirectory() ?? false;
  return isThere ? [{ path: '.git', depth: 1, by: 'group', inGit: true, readonly: true }] : [];
}

/** What of a workspace is held as a whole, in another mount that shows it. */
function heldWhole(path: string): Ancestor {
  return { path, depth: 1, by: 'group', inGit: true, readonly: true };
}
