// The whole command tree on one screen. Each file is loaded when its command is called.
import type { Branch } from './command.ts';

export const tree: readonly Branch[] = [
  {
    name: 'shell',
    group: 'Sessions',
    summary: 'Start or resume an agent in its own machine (also: bare `coi`)',
    load: () => import('./shell.ts'),
  },
  {
    name: 'run',
    group: 'Sessions',
    summary: 'Run one command in a fresh machine and pass on its output and exit status',
    load: () => import('./run.ts'),
  },
  {
    name: 'attach',
    group: 'Sessions',
    summary: 'Attach to a running session',
    load: () => import('./attach.ts'),
  },
  {
    name: 'list',
    group: 'Sessions',
    aliases: ['ls'],
    summary: 'List containers and saved sessions',
    load: () => import('./list.ts'),
  },
  {
    name: 'shutdown',
    group: 'Sessions',
    aliases: ['close'],
    summary: 'Shut sessions down gracefully',
    load: () => import('./shutdown.ts'),
  },
  {
    name: 'kill',
    group: 'Sessions',
    summary: 'Stop and delete sessions at once',
    load: () => import('./kill.ts'),
  },
  {
    name: 'persist',
    group: 'Sessions',
    summary: 'Keep the container of a session when it stops',
    load: () => import('./persist.ts'),
  },
  {
    name: 'clean',
    group: 'Sessions',
    summary: 'Delete what has ended: stopped containers, saved sessions',
    load: () => import('./clean.ts'),
  },
  {
    name: 'unfreeze',
    group: 'Sessions',
    summary: 'Let sessions go on that were paused',
    load: () => import('./unfreeze.ts'),
  },
  {
    name: 'snapshot',
    group: 'Sessions',
    summary: 'Keep a session as it is, and bring it back',
    load: () => import('./snapshot.ts'),
  },
  {
    name: 'fork',
    group: 'Sessions',
    summary: 'Go on with a copy of a session in another slot',
    load: () => import('./fork.ts'),
  },
  {
    name: 'network',
    group: 'Sessions',
    summary: 'Show what sessions may reach and were refused, open something for a while',
    load: () => import('./network.ts'),
  },
  {
    name: 'hosts',
    group: 'Sessions',
    summary: 'Give a running session names of hosts, and the way to them',
    load: () => import('./hosts.ts'),
  },
  {
    name: 'monitor',
    group: 'Sessions',
    summary: 'Show what a session does, seen from the host',
    load: () => import('./monitor.ts'),
  },
  {
    name: 'top',
    group: 'Sessions',
    summary: 'Show what all running sessions use',
    load: () => import('./top.ts'),
  },
  {
    name: 'audit',
    group: 'Sessions',
    summary: 'Show what was written down about a session, and check it',
    load: () => import('./audit.ts'),
  },
  {
    name: 'handoff',
    group: 'Sessions',
    summary: 'Show what changed in the workspace that the host would run',
    load: () => import('./handoff.ts'),
  },
  {
    name: 'setup',
    group: 'Host',
    summary: 'Make this host ready: Incus, network, storage, coid',
    load: () => import('./setup.ts'),
  },
  {
    name: 'health',
    group: 'Host',
    summary: 'Check this host without changing it',
    load: () => import('./health.ts'),
  },
  {
    name: 'daemon',
    group: 'Host',
    summary: 'Manage coid, the service that makes mounts and guards',
    load: () => import('./daemon.ts'),
  },
  {
    name: 'build',
    group: 'Images',
    summary: 'Build the image that sessions start from',
    load: () => import('./build.ts'),
  },
  {
    name: 'image',
    group: 'Images',
    summary: 'List, publish and delete images',
    load: () => import('./image.ts'),
  },
  {
    name: 'images',
    group: 'Images',
    summary: 'The same as `coi image list`',
    hidden: true,
    load: () => import('./images.ts'),
  },
  {
    name: 'info',
    group: 'Sessions',
    summary: 'Show a saved session',
    load: () => import('./info.ts'),
  },
  {
    name: 'config',
    group: 'Configuration',
    summary: 'Show what is configured, where it comes from, and what can be',
    load: () => import('./config.ts'),
  },
  {
    name: 'profile',
    group: 'Configuration',
    summary: 'Show, make, edit and delete profiles',
    load: () => import('./profile.ts'),
  },
  {
    name: 'validate',
    group: 'Configuration',
    summary: 'Check configuration and profiles without using them',
    load: () => import('./validate.ts'),
  },
  {
    name: 'schema',
    group: 'Configuration',
    summary: 'Print JSON Schemas, for editors and scripts',
    load: () => import('./schema.ts'),
  },
  {
    name: 'trust',
    group: 'Configuration',
    summary: "Approve what the project's configuration would loosen",
    load: () => import('./trust.ts'),
  },
  {
    name: 'untrust',
    group: 'Configuration',
    summary: 'Take such an approval back',
    load: () => import('./untrust.ts'),
  },
  {
    name: 'container',
    group: 'Low level',
    summary: 'Make, start, stop, delete, look into single containers',
    load: () => import('./container.ts'),
  },
  {
    name: 'file',
    group: 'Low level',
    summary: 'Copy files into and out of containers',
    load: () => import('./file.ts'),
  },
  {
    name: 'tmux',
    group: 'Low level',
    summary: 'Type into sessions and read their screens without attaching',
    load: () => import('./tmux.ts'),
  },
  {
    name: 'logs',
    group: 'Sessions',
    summary: 'Show the log of a container',
    load: () => import('./logs.ts'),
  },
  {
    name: 'tool',
    group: 'Low level',
    summary: 'Tell how an agent is started',
    load: () => import('./tool-spec.ts'),
  },
  {
    name: 'completion',
    group: 'Other',
    summary: 'Print completions for bash, zsh or fish',
    load: () => import('./completion.ts'),
  },
  {
    name: 'version',
    group: 'Other',
    summary: 'Print the version',
    load: () => import('./version.ts'),
  },
];

export function summaryLine(version: string): string {
  return `code-on-incus (coi) v${version}`;
}
