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
  return now.processes.flatMap((task) => {
    const found =
      onSocket(task, now, sockets) ??
      onHiddenSocket(task, now, before) ??
      behindRelay(task, now, remoteOf);
    return found ? [found] : [];
  });
};

/** Standard input and one output are the same socket with a remote end. */
function onSocket(
  task: Process,
  now: Sample,
  sockets: ReadonlyMap<string, Connection>,
): Threat | undefined {
  const inode = twoWaySocket(task);
  const connection = inode === undefined ? undefined : sockets.get(inode);
  if (!connection) return undefined;
  const near =
    placeOf(connection.remoteAddress) === 'self' ||
    isWithin(connection.remoteAddress, now.ownSubnets);
  const typed = isShell(task) || isInterpreter(task);
  // Servers that were started for one connection look like this, too; a shell never does.
  if (!typed && (near || isInbound(connection, now))) return undefined;
  return {
    level: typed && !near ? 'critical' : 'high',
    category: 'process',
    title: typed ? 'Reverse shell' : 'Program on a network connection',
    description: `${task.comm} (pid ${task.pid}) has a connection to ${peer(connection)} as its standard input and output.`,
    evidence: evidence(task, connection),
    key: `${task.pid}.${task.startTicks}`,
  };
}

/** A shell on a socket that no network namespace of the container shows any more, and not only for a moment. */
function onHiddenSocket(task: Process, now: Sample, before: Sample): Threat | undefined {
  const inode = isShell(task) ? twoWaySocket(task) : undefined;
  if (inode === undefined || now.socketInodes.has(inode)) return undefined;
  const earlier = before.processes.find(
    ({ pid, startTicks }) => pid === task.pid && startTicks === task.startTicks,
  );
  if (!earlier || twoWaySocket(earlier) !== inode || before.socketInodes.has(inode))
    return undefined;
  return {
    level: 'high',
    category: 'process',
    title: 'Shell on a hidden socket',
    description: `${task.comm} (pid ${task.pid}) has a socket as its standard input and output that belongs to no network of the container.`,
    evidence: evidence(task),
    key: `${task.pid}.${task.startTicks}`,
  };
}

/** A shell whose streams lead through a program that passes them on to a connection. */
function behindRelay(
  shell: Process,
  now: Sample,
  remoteOf: (task: Process) => Connection | undefined,
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
      relay: { pid: relay.pid, command: commandLine(relay) },
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

/**
 * nc < fifo | sh > fifo and its kin: what the shell writes reaches the relay, and what the relay writes reaches the
 * shell. A shell that takes its commands from a pipe needs no proof of the way back, which may lead through any program.
 */
function loopThroughRelay(shell: Process, processes: readonly Process[]): Process | undefined {
  const readers = new Map<string, Process[]>();
  for (const task of processes) {
    const input = task.std[0];
    if (isChannel(input)) readers.set(input, [...(readers.get(input) ?? []), task]);
  }
  const after = (task: Process) =>
    [task.std[1], task.std[2]].filter(isChannel).flatMap((target) => readers.get(target) ?? []);
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
  const commanded = isInteractiveShell(shell) && isChannel(shell.std[0]);
  return [...reached(shell)].find(
    (task) => isRelay(task) && (commanded || reached(task).has(shell)),
  );
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
): (task: Process) => Connection | undefined {
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

/** Somebody connected to a port that the container listens on, or did. */
export function isInbound({ localPort }: Connection, { servedPorts }: Sample): boolean {
  return servedPorts.has(localPort);
}

export function peer({
  remoteAddress,
  remotePort,
}: Pick<Connection, 'remoteAddress' | 'remotePort'>): string {
  return remoteAddress.includes(':')
    ? `[${remoteAddress}]:${remotePort}`
    : `${remoteAddress}:${remotePort}`;
}

function evidence(task: Process, connection?: Connection): Threat['evidence'] {
  const { pid, ppid, exe, uid } = task;
  return {
    process: { pid, ppid, program: exe, command: commandLine(task), uid, streams: task.std },
    ...(connection && { network: { remote: peer(connection), state: connection.state } }),
  };
}
