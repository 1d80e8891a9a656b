// Detects connections to addresses that an agent has no reason to use.
import { type AddressClass, classifyAddress, isWithin } from '../addresses.ts';
import { commandLine } from '../programs.ts';
import type { Connection, Sample } from '../sample.ts';
import type { Level } from '../threat.ts';
import type { Detector } from './detector.ts';
import { isInbound, peer } from './reverse-shell.ts';

/** Default ports of remote-control tools, with the level of a connection. Ordinary services also use 8080. */
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
/** The gateway serves DNS and DHCP. */
const gatewayPorts = [53, 67];

export const contacts: Detector = ({ now }) => {
  const byPid = new Map(now.processes.map((task) => [task.pid, task]));
  return now.connections.flatMap((connection) => {
    if (!isOutgoing(connection, now)) return [];
    const found = judge(connection, now);
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

/** True for connections that the contacts detector may report, so that their process is looked up. */
export function isSuspicious(connection: Connection, now: Sample): boolean {
  return isOutgoing(connection, now) && judge(connection, now) !== undefined;
}

function isOutgoing(connection: Connection, now: Sample): boolean {
  const { remoteAddress, remotePort, state } = connection;
  if (remotePort === 0 || state === 'listening' || classifyAddress(remoteAddress) === 'self')
    return false;
  if (isWithin(remoteAddress, now.ownSubnets) || isInbound(connection, now)) return false;
  if (remoteAddress !== now.gateway) return true;
  // A host's connection to a server that has ended may linger and look like an outgoing one.
  return !gatewayPorts.includes(remotePort) && (state === 'established' || state === 'opening');
}

function judge(
  connection: Connection,
  now: Sample,
): { level: Level; title: string; about: string } | undefined {
  const reached = connection.protocol === 'tcp' && connection.state !== 'opening';
  const place = judgeClass(classifyAddress(connection.remoteAddress), reached, now);
  if (place) return place;
  const level = connection.protocol === 'tcp' ? controlPorts.get(connection.remotePort) : undefined;
  if (level === undefined) return undefined;
  return {
    level,
    title: 'Contact with a control port',
    about: ', a port that remote-control programs use',
  };
}

/** A blocked attempt is only a warning: ordinary libraries query the metadata service on their own. */
function judgeClass(
  place: AddressClass,
  reached: boolean,
  { network }: Sample,
): { level: Level; title: string; about: string } | undefined {
  switch (place) {
    case 'metadata':
      return {
        level: reached ? 'critical' : 'warning',
        title: 'Contact with the metadata service',
        about: ", which hands out the machine's credentials",
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
