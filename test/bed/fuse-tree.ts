// In-memory file tree of the FUSE server. It stores owners and modes but does not check them.
export interface Node {
  readonly id: bigint;
  /** Includes the file type. */
  mode: number;
  uid: number;
  gid: number;
  /** For a link: its target. */
  data: Buffer;
  readonly children: Map<string, Node>;
}

export const directoryBit = 0o040000;
const kindBits = 0o170000;

export function isDirectory({ mode }: Node): boolean {
  return (mode & kindBits) === directoryBit;
}

/** An errno of <asm-generic/errno-base.h> that is returned to the kernel. */
export class FuseError extends Error {
  readonly errno: number;

  constructor(errno: number) {
    super(`errno ${errno}`);
    this.errno = errno;
  }
}

const [ENOENT, EEXIST, ENOTEMPTY] = [2, 17, 39];

export class Tree {
  readonly #nodes = new Map<bigint, Node>();
  #last = 0n;

  constructor(owner: { readonly uid: number; readonly gid: number }) {
    this.#make(directoryBit | 0o755, owner);
  }

  node(id: bigint): Node {
    return orNotFound(this.#nodes.get(id));
  }

  child(parent: bigint, name: string): Node {
    return orNotFound(this.node(parent).children.get(name));
  }

  add(
    parent: bigint,
    name: string,
    mode: number,
    owner: { readonly uid: number; readonly gid: number },
  ): Node {
    const { children } = this.node(parent);
    if (children.has(name)) throw new FuseError(EEXIST);
    const made = this.#make(mode, owner);
    children.set(name, made);
    return made;
  }

  link(id: bigint, parent: bigint, name: string): Node {
    const { children } = this.node(parent);
    if (children.has(name)) throw new FuseError(EEXIST);
    children.set(name, this.node(id));
    return this.node(id);
  }

  /** An unlinked node may still be open, so it stays. */
  remove(parent: bigint, name: string): void {
    if (this.child(parent, name).children.size > 0) throw new FuseError(ENOTEMPTY);
    this.node(parent).children.delete(name);
  }

  rename(from: bigint, name: string, to: bigint, as: string): void {
    const moved = this.child(from, name);
    if ((this.node(to).children.get(as)?.children.size ?? 0) > 0) throw new FuseError(ENOTEMPTY);
    this.node(from).children.delete(name);
    this.node(to).children.set(as, moved);
  }

  #make(mode: number, { uid, gid }: { readonly uid: number; readonly gid: number }): Node {
    this.#last += 1n;
    const made = { id: this.#last, mode, uid, gid, data: Buffer.alloc(0), children: new Map() };
    this.#nodes.set(made.id, made);
    return made;
  }
}

function orNotFound(node: Node | undefined): Node {
  if (node === undefined) throw new FuseError(ENOENT);
  return node;
}
