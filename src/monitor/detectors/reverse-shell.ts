// A shell that somebody elsewhere types into, told by its structure: what its standard streams lead to. Its name and
// its command line can say what they want.
import { isWithin, placeOf } from '../addresses.ts';
import {
  commandLine,
  isInteractiveShell,
  isInterpreter,
  isRelay,
  isShell,
  runsInline,
} from '../programs.ts';
import type { Connection, Process, Sample } from '../sample.ts';
import type { Threat } from '../threat.ts';
import type { Detector } from './detector.ts';

export const reverseShell: Detector = ({ now, before }) => {
  const sockets = new Map(now.connections.map((connection) => [connection.inode, connection]));
  const remoteOf = remoteConnections(now, sockets);
  const children = childrenOf(now.processes);
  return now.processes.flatMap((process) => {
    const found =
      onSocket(process, now, sockets) ??
      onHiddenSocket(process, now, before) ??
      behindRelay(process, now, children, remoteOf);
    return found ? [found] : [];
  });
};

/** Standard input and one output are the same socket with a remote end. */
function onSocket(
  process: Process,
  now: Sample,
  sockets: ReadonlyMap<string, Connection>,
): Threat | undefined {
  const inode = twoWaySocket(process);
  const connection = inode === undefined ? undefined : sockets.get(inode);
  if (!connection) return undefined;
  const near =
    placeOf(connection.remoteAddress) === 'self' ||
    isWithin(connection.remoteAddress, now.ownSubnets);
  const typed = isShell(process) || isInterpreter(process);
  // Servers that were started for one connection look like this, too; a shell never does.
  if (!typed && (near || isInbound(connection, now))) return undefined;
  return {
    level: typed && !near ? 'critical' : 'high',
    category: 'process',
    title: typed ? 'Reverse shell' : 'Program on a network connection',
    description: `${process.comm} (pid ${process.pid}) has a connection to ${peer(connection)} as its standard input and output.`,
    evidence: evidence(process, connection),
    key: `${process.pid}.${process.startTicks}`,
  };
}

/** A shell on a socket that no network namespace of the container shows any more, and not only for a moment. */
function onHiddenSocket(process: Process, now: Sample, before: Sample): Threat | undefined {
  const inode = isShell(process) ? twoWaySocket(process) : undefined;
  if (inode === undefined || now.socketInodes.has(inode)) return undefined;
  const earlier = before.processes.find(
    ({ pid, startTicks }) => pid === process.pid && startTicks === process.startTicks,
  );
  if (!earlier || twoWaySocket(earlier) !== inode || before.socketInodes.has(inode))
    return undefined;
  return {
    level: 'high',
    category: 'process',
    title: 'Shell on a hidden socket',
    description: `${process.comm} (pid ${process.pid}) has a socket as its standard input and output that belongs to no network of the container.`,
    evidence: evidence(process),
    key: `${process.pid}.${process.startTicks}`,
  };
}

/** A shell whose streams lead through a program that passes them on to a connection. */
function behindRelay(
  shell: Process,
  now: Sample,
  children: ReadonlyMap<number, readonly Process[]>,
  remoteOf: (process: Process) => Connection | undefined,
): Threat | undefined {
  if (!isShell(shell)) return undefined;
  const parent = now.processes.find(({ pid }) => pid === shell.ppid);
  const relay = isPassedOn(shell, parent) ? parent : loopThroughRelay(shell, now.processes);
  const connection = relay && remoteOf(relay);
  if (!relay || !connection || placeOf(connection.remoteAddress) === 'self') return undefined;
  return {
    level: 'critical',
    category: 'process',
    title: 'Reverse shell',
    description: `${shell.comm} (pid ${shell.pid}) talks to ${peer(connection)} through ${relay.comm} (pid ${relay.pid}).`,
    evidence: {
      ...evidence(shell, connection),
      relay: {
        pid: relay.pid,
        command: commandLine(relay),
        children: children.get(relay.pid)?.length ?? 0,
      },
    },
    key: `${shell.pid}.${shell.startTicks}`,
  };
}

/** The parent made the shell's streams: a relay (nc -e, socat EXEC), or a program from a command line that keeps a terminal for it. */
function isPassedOn(shell: Process, parent: Process | undefined): boolean {
  if (!parent) return false;
  const streams = shell.std.filter((target) =>
    /^(?:pipe:|socket:|\/dev\/pts\/|\/dev\/ptmx)/.test(target),
  );
  if (streams.length < 2) return false;
  // A terminal that relay and shell share is the user's own, who typed `nc` there.
  const inherited = shell.std[0] === parent.std[0] && shell.std[1] === parent.std[1];
  if (inherited) return false;
  return isRelay(parent) || (runsInline(parent) && isInteractiveShell(shell));
}

/** nc < fifo | sh > fifo and its kin: what the shell writes reaches the relay, and what the relay writes reaches the shell. */
function loopThroughRelay(shell: Process, processes: readonly Process[]): Process | undefined {
  const readers = new Map<string, Process[]>();
  for (const process of processes) {
    const input = process.std[0];
    if (isChannel(input)) readers.set(input, [...(readers.get(input) ?? []), process]);
  }
  const after = (process: Process) =>
    [process.std[1], process.std[2]]
      .filter(isChannel)
      .flatMap((target) => readers.get(target) ?? []);
  const reached = (from: Process) => {
    const seen = new Set<Process>();
    const open = [from];
    for (let next = open.pop(); next; next = open.pop()) {
      for (const reader of after(next)) {
        if (seen.has(reader)) continue;
        seen.add(reader);
        open.push(reader);
      }
    }
    return seen;
  };
  return [...reached(shell)].find((process) => isRelay(process) && reached(process).has(shell));
}

/** A pipe or a named one: two programs that have it at both ends are connected. */
function isChannel(target: string): boolean {
  return target.startsWith('pipe:') || (target.startsWith('/') && !target.startsWith('/dev/'));
}

function twoWaySocket({ std }: Process): string | undefined {
  const [input, output, errors] = std;
  if (!input.startsWith('socket:[') || (output !== input && errors !== input)) return undefined;
  return input.slice('socket:['.length, -1);
}

/** The remote connection of a relay or of an inline program, found among its descriptors. */
function remoteConnections(
  now: Sample,
  sockets: ReadonlyMap<string, Connection>,
): (process: Process) => Connection | undefined {
  return ({ descriptors, std }) => {
    for (const target of [...descriptors, ...std]) {
      const connection = target.startsWith('socket:[')
        ? sockets.get(target.slice('socket:['.length, -1))
        : undefined;
      if (
        connection &&
        connection.protocol === 'tcp' &&
        !isWithin(connection.remoteAddress, now.ownSubnets)
      )
        return connection;
    }
    return undefined;
  };
}

/** Somebody connected to a port that the container listens on. */
export function isInbound({ localPort, protocol }: Connection, { listeners }: Sample): boolean {
  return listeners.some(
    (listener) => listener.localPort === localPort && listener.protocol === protocol,
  );
}

function childrenOf(processes: readonly Process[]): Map<number, Process[]> {
  const children = new Map<number, Process[]>();
  for (const process of processes)
    children.set(process.ppid, [...(children.get(process.ppid) ?? []), process]);
  return children;
}

export function peer({
  remoteAddress,
  remotePort,
}: Pick<Connection, 'remoteAddress' | 'remotePort'>): string {
  return remoteAddress.includes(':')
    ? `[${remoteAddress}]:${remotePort}`
    : `${remoteAddress}:${remotePort}`;
}

function evidence(process: Process, connection?: Connection): Threat['evidence'] {
  const { pid, ppid, exe, uid } = process;
  return {
    process: { pid, ppid, program: exe, command: commandLine(process), uid, streams: process.std },
    ...(connection && { network: { remote: peer(connection), state: connection.state } }),
  };
}
