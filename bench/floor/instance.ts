// The create request of the floors: the same configuration and devices as coi's, with plain bind mounts.
import { callAndWait } from './raw.ts';

/** What the bench passes to a floor, as JSON in the environment variable COI_FLOOR. */
export interface FloorTask {
  readonly name: string;
  readonly image: string;
  readonly bridge: string;
  readonly address: string;
  readonly prefixLength: number;
  readonly gateway: string;
  readonly workspace: string;
  /** Directories in place of the session store's parts, by their path below the home. */
  readonly state: Readonly<Record<string, string>>;
  /** The command in tmux: prints `You:` when its screen is ready. */
  readonly tool: readonly string[];
}

export function floorTask(): FloorTask {
  return JSON.parse(process.env['COI_FLOOR'] ?? '') as FloorTask;
}

/** Creates and starts the instance in one request, and waits for it. */
export async function createAndStart(task: FloorTask): Promise<void> {
  await callAndWait('POST', '/1.0/instances', {
    name: task.name,
    type: 'container',
    start: true,
    profiles: ['default'],
    source: { type: 'image', alias: task.image },
    config: {
      'boot.autostart': 'false',
      'security.guestapi': 'false',
      'security.idmap.isolated': 'true',
      'security.nesting': 'true',
      'security.syscalls.intercept.mknod': 'true',
      'security.syscalls.intercept.setxattr': 'true',
      'linux.sysctl.net.ipv4.ip_unprivileged_port_start': '0',
      'raw.lxc': `lxc.net.0.ipv4.address = ${task.address}/${task.prefixLength}\nlxc.net.0.ipv4.gateway = ${task.gateway}`,
      'user.bench.workspace': task.workspace,
    },
    devices: { eth0: nic(task), ...disks(task) },
  });
}

/** The command to start, with the same layers as in coi (tmux, bash, tool). */
export function tmux(task: FloorTask, detached: boolean): string[] {
  const mode = detached ? ['-d'] : ['-A'];
  const wrapper = ['bash', '-c', 'trap : INT; "$@"; exec bash', 'bench', ...task.tool];
  return [
    'tmux',
    '-u',
    'new-session',
    ...mode,
    '-s',
    'bench',
    '-c',
    '/workspace',
    '--',
    ...wrapper,
  ];
}

function nic(task: FloorTask): Record<string, string> {
  const last = task.address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return {
    type: 'nic',
    network: task.bridge,
    name: 'eth0',
    host_name: `cb${last.join('')}`,
    hwaddr: `10:66:6a:${last.slice(1).join(':')}`,
    'ipv4.address': task.address,
  };
}

function disks(task: FloorTask): Record<string, Record<string, string>> {
  const stateDisks = Object.entries(task.state).map(([part, source], index) => [
    `state${index}`,
    { type: 'disk', source, path: `/home/code/${part}` },
  ]);
  return {
    workspace: { type: 'disk', source: task.workspace, path: '/workspace' },
    ...Object.fromEntries(stateDisks),
  };
}
