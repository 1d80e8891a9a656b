// Detects a remotely controlled shell by its structure: where its standard streams lead. Its name and its command line
// do not matter.
import { classifyAddress, isWithin } from '../addresses.ts';
import { isChannel, Pipes } from '../pipes.ts';
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
  const byPid = byNumber(now.processes);
  const earlier = byNumber(before.processes);
  const pipes = new Pipes(now.processes, (task) => isRelay(task) && remoteOf(task) !== undefined);
  return now.processes.flatMap((task) => {
    const found =
      onSocket(task, now, sockets) ??
      onHiddenSocket(task, now, before, earlier) ??
      behindRelay(task, byPid, pipes, remoteOf);
    return found ? [found] : [];
  });
};

/** Standard input and one output are the same socket with a remote peer. */
function onSocket(
  task: Process,
  now: Sample,
  sockets: ReadonlyMap<string, Connection>,
): Threat | undefined {
  const inode = twoWaySocket(task);
  const connection = inode === undefined ? undefined : sockets.get(inode);
  if (!connection) return undefined;
  const near =
    classifyAddress(connection.remoteAddress) === 'self' ||
    isWithin(connection.remoteAddress, now.ownSubnets);
  const typed = isShell(task) || isInterpreter(task);
  // inetd-style servers look like this too; a shell never does.
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

/** A shell on a socket that no network namespace of the container lists, in two scans. */
function onHiddenSocket(
  task: Process,
  now: Sample,
  before: Sample,
  earlierOnes: ReadonlyMap<number, Process>,
): Threat | undefined {
  const inode = isShell(task) ? twoWaySocket(task) : undefined;
  if (inode === undefined || now.socketInodes.has(inode)) return undefined;
  const earlier = earlierOnes.get(task.pid);
  if (
    earlier?.startTicks !== task.startTicks ||
    twoWaySocket(earlier) !== inode ||
    before.socketInodes.has(inode)
  )
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

/** A shell whose streams lead through a program that relays them to a connection. */
function behindRelay(
  shell: Process,
  processes: ReadonlyMap<number, Process>,
  pipes: Pipes,
  remoteOf: (task: Process) => Connection | undefined,
): Threat | undefined {
  if (!isShell(shell)) return undefined;
  const parent = processes.get(shell.ppid);
  const relay = isPassedOn(shell, parent) ? parent : loopThroughRelay(shell, pipes);
  const connection = relay && remoteOf(relay);
  if (!relay || !connection) return undefined;
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

/** The parent created the shell's streams: a relay (nc -e, socat EXEC), or an inline program that keeps a terminal for it. */
function isPassedOn(shell: Process, parent: Process | undefined): boolean {
  if (!parent) return false;
  const streams = shell.std.filter((target) =>
    /^(?:pipe:|socket:|\/dev\/pts\/|\/dev\/ptmx)/.test(target),
  );
  if (streams.length < 2) return false;
  // If relay and shell share a terminal, the user typed `nc` there.
  const inherited = shell.std[0] === parent.std[0] && shell.std[1] === parent.std[1];
  if (inherited) return false;
  return isRelay(parent) || (runsInline(parent) && isInteractiveShell(shell));
}

/**
 * nc < fifo | sh > fifo and similar: the shell's output reaches the relay, and the relay's output reaches the shell. For a
 * shell that reads commands from a pipe the first is enough, since the way back may lead through any program.
 */
function loopThroughRelay(shell: Process, pipes: Pipes): Process | undefined {
  const commanded = isInteractiveShell(shell) && isChannel(shell.std[0]);
  return commanded ? pipes.reachedBy(shell) : pipes.inLoopWith(shell);
}

function byNumber(processes: readonly Process[]): ReadonlyMap<number, Process> {
  return new Map(processes.map((task) => [task.pid, task]));
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
  // Cached: a relay may have many descriptors and many shells.
  const known = new Map<Process, Connection | undefined>();
  const look = ({ descriptors, std }: Process) => {
    for (const target of [...descriptors, ...std]) {
      const connection = target.startsWith('socket:[')
        ? sockets.get(target.slice('socket:['.length, -1))
        : undefined;
      if (
        connection &&
        connection.protocol === 'tcp' &&
        classifyAddress(connection.remoteAddress) !== 'self' &&
        !isWithin(connection.remoteAddress, now.ownSubnets)
      )
        return connection;
    }
    return undefined;
  };
  return (task) => {
    if (!known.has(task)) known.set(task, look(task));
    return known.get(task);
  };
}

/** A connection to a port that the container listens on or listened on. */
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
