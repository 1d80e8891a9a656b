// The mounts of all sessions: <run dir>/mounts/<id>/<name>, one directory per reservation.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CoiError } from '../errors.ts';
import type { UserNamespaces } from '../host/idmap.ts';
import { type Libc, SystemCallError } from '../host/libc.ts';
import {
  bindMount,
  makeMountPoint,
  mountPointsBelow,
  removeMounts,
  unmount,
} from '../host/mounts.ts';
import { parseSessionId } from '../names.ts';
import type { MountRecord, ReservedMount } from './protocol.ts';
import type { OpenMount } from './sources.ts';

/** uid and gid of the agent's user in every container. */
const agentId = 1000;

/** For whom a tree is: what the owner has on disk belongs to the agent inside. */
export type TreeOwner = Pick<MountRecord, 'id' | 'ownerUid' | 'ownerGid' | 'idmapBase'>;

export class MountTrees {
  /** Of root alone: through an idmapped mount others could reach what directories above the source keep from them. */
  readonly directory: string;
  readonly #libc: Libc;
  readonly #namespaces: UserNamespaces;

  constructor(libc: Libc, namespaces: UserNamespaces, runDir: string) {
    this.#libc = libc;
    this.#namespaces = namespaces;
    this.directory = join(runDir, 'mounts');
  }

  /** Makes the mounts, replacing those of the same names. After a failure none of them is left. Throws `mount-invalid`. */
  make(owner: TreeOwner, mounts: readonly OpenMount[]): ReservedMount[] {
    const top = this.#path(owner.id);
    const made: ReservedMount[] = [];
    try {
      makeMountPoint(top);
      for (const mount of mounts) made.push(this.#mount(top, owner, mount));
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
            { hint: 'See `coi daemon logs`.', cause: error },
          )
        : error;
    }
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

  #mount(top: string, owner: TreeOwner, { request, source }: OpenMount): ReservedMount {
    const agent = owner.idmapBase + agentId;
    const namespace = this.#namespaces.descriptor(
      { onDisk: owner.ownerUid, shown: agent },
      { onDisk: owner.ownerGid, shown: agent },
    );
    const target = join(top, request.name);
    makeMountPoint(target);
    unmount(this.#libc, target);
    const kind = bindMount(this.#libc, {
      source: source.fd,
      target,
      readonly: request.readonly,
      namespace,
    });
    return { name: request.name, hostPath: target, kind };
  }

  #path(id: string): string {
    return join(this.directory, parseSessionId(id));
  }
}

/** Ids are UUIDs: nothing else becomes part of a path that root works on. */
export function isTreeId(id: string): boolean {
  try {
    parseSessionId(id);
    return true;
  } catch {
    return false;
  }
}
