// Commands about what agents do, next to those of sessions in the command tree.
import type { CommandEntry } from './command-module.ts';

export const agentCommands: readonly CommandEntry[] = [
  {
    name: 'ui',
    group: 'Sessions',
    summary: 'Show all sessions, answer, attach (full screen)',
    load: () => import('./commands/attention/ui.ts'),
  },
  {
    name: 'send',
    group: 'Sessions',
    summary: 'Send a message to an agent',
    load: () => import('./commands/attention/send.ts'),
  },
  {
    name: 'answer',
    group: 'Sessions',
    summary: 'Answer a question of an agent',
    load: () => import('./commands/attention/answer.ts'),
  },
  {
    name: 'wait',
    group: 'Sessions',
    summary: 'Wait until agents are idle, ask or have ended',
    load: () => import('./commands/attention/wait.ts'),
  },
  {
    name: 'events',
    group: 'Sessions',
    summary: 'Print what sessions do, as it happens',
    load: () => import('./commands/attention/events.ts'),
  },
  {
    name: 'mcp',
    group: 'Sessions',
    summary: 'Serve programs that lead sessions (Model Context Protocol)',
    load: () => import('./commands/attention/mcp.ts'),
  },
  {
    name: 'seen',
    group: 'Sessions',
    summary: 'Mark sessions as looked at',
    load: () => import('./commands/attention/seen.ts'),
  },
];
