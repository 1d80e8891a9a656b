// A tree of files in memory, as the program of a FUSE file system serves it: owners and modes are kept, and judged by nobody.
export interface Node {
  readonly id: bigint;
  /** With the kind of file. */
  mode: number;
  uid: number;
  gid: number;
  /** Of a link: where it leads. */
  data: Buffer;
  readonly children: Map<string, Node>;
}

export const directoryBit = 0o040000;
const kindBits = 0o170000;

export function isDirectory({ mode }: Node): boolean {
  return (mode & kindBits) === directoryBit;
}

/** What the kernel is answered instead of a result: an errno of <asm-generic/errno-base.h>. */
export class Refused extends Error {
  readonly errno: number;

  constructor(errno: number) {
    super(`errno ${errno}`);
    this.errno = errno;
  }
}

const [notThere, isThere, notEmpty] = [2, 17, 39];

export class Tree {
  readonly #nodes = new Map<bigint, Node>();
  #last = 0n;

  constructor(owner: { readonly uid: number; readonly gid: number }) {
    this.#make(directoryBit | 0o755, owner);
  }

  node(id: bigint): Node {
    return found(this.#nodes.get(id));
  }

  child(parent: bigint, name: string): Node {
    return found(this.node(parent).children.get(name));
  }

  add(
    parent: bigint,
    name: string,
    mode: number,
    owner: { readonly uid: number; readonly gid: number },
  ): Node {
    const { children } = this.node(parent);
    if (children.has(name)) throw new Refused(isThere);
    const made = this.#make(mode, owner);
    children.set(name, made);
    return made;
  }

  link(id: bigint, parent: bigint, name: string): Node {
    const { children } = this.node(parent);
    if (children.has(name)) throw new Refused(isThere);
    children.set(name, this.node(id));
    return this.node(id);
  }

  /** What has no name any more may still be open: its node stays. */
  remove(parent: bigint, name: string): void {
    if (this.child(parent, name).children.size > 0) throw new Refused(notEmpty);
    this.node(parent).children.delete(name);
  }

  rename(from: bigint, name: string, to: bigint, as: string): void {
    const moved = this.child(from, name);
    if ((this.node(to).children.get(as)?.children.size ?? 0) > 0) throw new Refused(notEmpty);
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

function found(node: Node | undefined): Node {
  if (node === undefined) throw new Refused(notThere);
  return node;
}
