// Commands of the program itself, for the end of the command tree.
import type { CommandEntry } from './command-module.ts';
import { internalCommands } from './internal-commands.ts';

export const otherCommands: readonly CommandEntry[] = [
  {
    name: 'completion',
    group: 'Other',
    summary: 'Print the completion script for bash, zsh, fish or powershell',
    load: () => import('./commands/other/completion.ts'),
  },
  ...internalCommands,
  {
    name: 'update',
    group: 'Other',
    summary: 'Check for a newer release',
    load: () => import('./commands/other/update.ts'),
  },
  {
    name: 'version',
    group: 'Other',
    summary: 'Print the version',
    load: () => import('./commands/other/version.ts'),
  },
];
