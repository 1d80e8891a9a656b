// Which processes write to which through pipes. One pass over all of them: their number is the attacker's.
import type { Process } from './sample.ts';

/** A pipe or a named one: two programs that have it at both ends are connected. */
export function isChannel(target: string): boolean {
  return target.startsWith('pipe:') || (target.startsWith('/') && !target.startsWith('/dev/'));
}

/** A process, or a channel: what a process writes into a channel reaches whoever reads it. */
type Node = Process | string;

export class Pipes {
  readonly #ends: readonly Process[];
  readonly #processes: readonly Process[];
  /** Where data goes from there, and where it comes from. */
  readonly #next = new Map<Node, Node[]>();
  readonly #previous = new Map<Node, Node[]>();
  #reaching: ReadonlyMap<Node, Process> | undefined;
  #loops: ReadonlyMap<Node, Process> | undefined;

  /** `isEnd` says which processes are asked for. */
  constructor(processes: readonly Process[], isEnd: (task: Process) => boolean) {
    this.#processes = processes;
    this.#ends = processes.filter(isEnd);
    if (this.#ends.length === 0) return;
    for (const task of processes) {
      const [input, ...outputs] = task.std;
      if (isChannel(input)) this.#link(input, task);
      for (const output of new Set(outputs)) if (isChannel(output)) this.#link(task, output);
    }
  }

  /** An end that gets what the process writes; not the process itself. */
  reachedBy(task: Process): Process | undefined {
    this.#reaching ??= labelled(this.#ends, this.#previous);
    const end = this.#reaching.get(task);
    return end === task ? undefined : end;
  }

  /** An end that gets what the process writes, and whose writing the process gets. */
  inLoopWith(task: Process): Process | undefined {
    if (this.reachedBy(task) === undefined) return undefined;
    this.#loops ??= this.#findLoops();
    const end = this.#loops.get(task);
    return end === task ? undefined : end;
  }

  #link(from: Node, to: Node): void {
    append(this.#next, from, to);
    append(this.#previous, to, from);
  }

  /** Strongly connected components (Kosaraju's way: in order of finishing, then backwards), each with an end in it. */
  #findLoops(): ReadonlyMap<Node, Process> {
    const order = finished(this.#processes, this.#next);
    const ends = new Set<Node>(this.#ends);
    const seen = new Set<Node>();
    const found = new Map<Node, Process>();
    for (const start of order.reverse()) {
      if (seen.has(start)) continue;
      const component = spread(start, this.#previous, seen);
      const end = component.find((node): node is Process => ends.has(node));
      if (end && component.length > 1) for (const node of component) found.set(node, end);
    }
    return found;
  }
}

function append(edges: Map<Node, Node[]>, from: Node, to: Node): void {
  const known = edges.get(from);
  if (known) known.push(to);
  else edges.set(from, [to]);
}

/** By node: one of the ends that lead to it along the edges. */
function labelled(
  ends: readonly Process[],
  edges: ReadonlyMap<Node, readonly Node[]>,
): ReadonlyMap<Node, Process> {
  const labels = new Map<Node, Process>();
  const open: Node[] = [];
  for (const end of ends) {
    labels.set(end, end);
    open.push(end);
  }
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const label = labels.get(node);
    for (const other of edges.get(node) ?? []) {
      if (label === undefined || labels.has(other)) continue;
      labels.set(other, label);
      open.push(other);
    }
  }
  return labels;
}

/** What is reached from there and was not seen yet. */
function spread(
  start: Node,
  edges: ReadonlyMap<Node, readonly Node[]>,
  seen: Set<Node>,
): readonly Node[] {
  const reached: Node[] = [start];
  seen.add(start);
  for (let index = 0; index < reached.length; index += 1) {
    for (const other of edges.get(reached[index] as Node) ?? []) {
      if (seen.has(other)) continue;
      seen.add(other);
      reached.push(other);
    }
  }
  return reached;
}

/** All nodes that a depth-first search meets, in the order in which it leaves them. */
function finished(starts: readonly Node[], edges: ReadonlyMap<Node, readonly Node[]>): Node[] {
  const seen = new Set<Node>();
  const order: Node[] = [];
  for (const start of starts) {
    if (seen.has(start)) continue;
    seen.add(start);
    const path: { node: Node; at: number }[] = [{ node: start, at: 0 }];
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const next = edges.get(top.node)?.[top.at];
      top.at += 1;
      if (next === undefined) {
        order.push(top.node);
        path.pop();
      } else if (!seen.has(next)) {
        seen.add(next);
        path.push({ node: next, at: 0 });
      }
    }
  }
  return order;
}
