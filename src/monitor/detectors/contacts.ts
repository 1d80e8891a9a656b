// Connections to places that an agent has no business with.
import { isWithin, type Place, placeOf } from '../addresses.ts';
import { commandLine } from '../programs.ts';
import type { Connection, Sample } from '../sample.ts';
import type { Level } from '../threat.ts';
import type { Detector } from './detector.ts';
import { isInbound, peer } from './reverse-shell.ts';

/** Ports that remote-control kits listen on by default, and what a contact counts as. Ordinary services use 8080, too. */
const controlPorts: ReadonlyMap<number, Level> = new Map<number, Level>([
  [4444, 'critical'],
  [5555, 'critical'],
  [31337, 'high'],
  [12345, 'high'],
  [1234, 'high'],
  [6666, 'high'],
  [6667, 'high'],
  [6697, 'warning'],
  [8080, 'info'],
]);
/** Names and leases come from the gateway. */
const gatewayPorts = [53, 67];

export const contacts: Detector = ({ now }) => {
  const byPid = new Map(now.processes.map((task) => [task.pid, task]));
  return now.connections.flatMap((connection) => {
    if (!isOutgoing(connection, now)) return [];
    const found = judged(connection, now);
    if (!found) return [];
    const task = connection.pid === undefined ? undefined : byPid.get(connection.pid);
    return [
      {
        level: found.level,
        category: 'network' as const,
        title: found.title,
        description: `${task ? `${task.comm} (pid ${task.pid})` : 'Something'} ${connection.state === 'opening' ? 'tries to reach' : 'is connected to'} ${peer(connection)}${found.about}.`,
        evidence: {
          network: {
            remote: peer(connection),
            protocol: connection.protocol,
            state: connection.state,
          },
          ...(task && {
            process: { pid: task.pid, program: task.exe, command: commandLine(task) },
          }),
        },
        key: peer(connection),
      },
    ];
  });
};

/** True for connections that the contacts detector may have something to say about: their holder is worth a look. */
export function isInteresting(connection: Connection, now: Sample): boolean {
  return isOutgoing(connection, now) && judged(connection, now) !== undefined;
}

function isOutgoing(connection: Connection, now: Sample): boolean {
  const { remoteAddress, remotePort, state } = connection;
  if (remotePort === 0 || state === 'listening' || placeOf(remoteAddress) === 'self') return false;
  if (isWithin(remoteAddress, now.ownSubnets) || isInbound(connection, now)) return false;
  if (remoteAddress !== now.gateway) return true;
  // What the host opened to a server that is gone meanwhile lingers on, and nothing tells it from the other direction.
  return !gatewayPorts.includes(remotePort) && (state === 'established' || state === 'opening');
}

function judged(
  connection: Connection,
  now: Sample,
): { level: Level; title: string; about: string } | undefined {
  const reached = connection.protocol === 'tcp' && connection.state !== 'opening';
  const place = judgedPlace(placeOf(connection.remoteAddress), reached, now);
  if (place) return place;
  const level = connection.protocol === 'tcp' ? controlPorts.get(connection.remotePort) : undefined;
  if (level === undefined) return undefined;
  return {
    level,
    title: 'Contact with a control port',
    about: ', a port that remote-control programs use',
  };
}

/** An attempt that the guard stops is worth a warning: ordinary libraries ask the metadata service without being told to. */
function judgedPlace(
  place: Place,
  reached: boolean,
  { network }: Sample,
): { level: Level; title: string; about: string } | undefined {
  switch (place) {
    case 'metadata':
      return {
        level: reached ? 'critical' : 'warning',
        title: 'Contact with the metadata service',
        about: ', which hands out credentials of the machine',
      };
    case 'private':
    case 'link-local': {
      const level = network === 'open' ? 'info' : reached ? 'high' : 'warning';
      return {
        level,
        title: 'Contact with a private network',
        about: ', an address of a private network',
      };
    }
    case 'self':
    case 'public':
      return undefined;
  }
}
