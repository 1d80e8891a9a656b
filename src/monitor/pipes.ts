// Finds which processes write to which through pipes. Linear in their number, which the attacker controls.
import type { Process } from './sample.ts';

/** A pipe or FIFO: programs that use both ends are connected. */
export function isChannel(target: string): boolean {
  return target.startsWith('pipe:') || (target.startsWith('/') && !target.startsWith('/dev/'));
}

/** A process or a channel: data that a process writes to a channel reaches its readers. */
type Node = Process | string;

export class Pipes {
  readonly #ends: readonly Process[];
  readonly #processes: readonly Process[];
  /** Edges in the direction of the data, and against it. */
  readonly #next = new Map<Node, Node[]>();
  readonly #previous = new Map<Node, Node[]>();
  #reaching: ReadonlyMap<Node, Process> | undefined;
  #loops: ReadonlyMap<Node, Process> | undefined;

  /** `isEnd` selects the processes to search for. */
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

  /** An end that receives the output of the process; not the process itself. */
  reachedBy(task: Process): Process | undefined {
    this.#reaching ??= labelNodes(this.#ends, this.#previous);
    const end = this.#reaching.get(task);
    return end === task ? undefined : end;
  }

  /** An end that receives the output of the process and whose output the process receives. */
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

  /** Strongly connected components that contain an end (Kosaraju's algorithm). */
  #findLoops(): ReadonlyMap<Node, Process> {
    const order = postorder(this.#processes, this.#next);
    const ends = new Set<Node>(this.#ends);
    const seen = new Set<Node>();
    const found = new Map<Node, Process>();
    for (const start of order.reverse()) {
      if (seen.has(start)) continue;
      const component = reachableFrom(start, this.#previous, seen);
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

/** Maps each node to one of the ends from which the edges lead to it. */
function labelNodes(
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

/** The nodes reachable from `start` that were not seen yet. */
function reachableFrom(
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

/** All nodes of a depth-first search, in postorder. */
function postorder(starts: readonly Node[], edges: ReadonlyMap<Node, readonly Node[]>): Node[] {
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
