// Commands that programs call, not people.
import type { Branch } from './command-module.ts';

export const innerTree: readonly Branch[] = [
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
    summary: 'Give a renewed login to the sessions that run',
    hidden: true,
    load: () => import('./commands/host/keep-logins.ts'),
  },
  {
    name: '__ssh',
    group: 'Other',
    summary: 'Join stdin and stdout to an ssh server in a session',
    hidden: true,
    load: () => import('./commands/network/ssh-bridge.ts'),
  },
  {
    name: '__suspect',
    group: 'Other',
    summary: 'Read what is kept of a process',
    hidden: true,
    load: () => import('./commands/host/suspect.ts'),
  },
];
