// Hidden commands for programs.
import type { CommandEntry } from './command-module.ts';

export const internalCommands: readonly CommandEntry[] = [
  {
    name: '__complete',
    group: 'Other',
    summary: 'Print candidates for the last word',
    hidden: true,
    load: () => import('./completion/complete.ts'),
  },
  {
    name: '__keep-logins',
    group: 'Other',
    summary: 'Copy a renewed login to running sessions',
    hidden: true,
    load: () => import('./commands/host/keep-logins.ts'),
  },
  {
    name: '__ssh',
    group: 'Other',
    summary: 'Connect stdin and stdout to an SSH server in a session',
    hidden: true,
    load: () => import('./commands/network/ssh-bridge.ts'),
  },
  {
    name: '__suspect',
    group: 'Other',
    summary: 'Read details of a suspicious process',
    hidden: true,
    load: () => import('./commands/host/suspect.ts'),
  },
  {
    name: '__watch-sessions',
    group: 'Other',
    summary: 'Write what sessions do to the event log',
    hidden: true,
    load: () => import('./commands/host/watch-sessions.ts'),
  },
];
