// Commands for own trees, for the command tree.
import type { CommandEntry } from './command-module.ts';

export const treeCommands: readonly CommandEntry[] = [
  {
    name: 'trees',
    group: 'Sessions',
    summary: 'List the working trees that sessions have of their own',
    load: () => import('./commands/trees/trees.ts'),
  },
  {
    name: 'diff',
    group: 'Sessions',
    summary: 'Show what a session changed in its own tree',
    load: () => import('./commands/trees/diff.ts'),
  },
  {
    name: 'merge',
    group: 'Sessions',
    summary: "Bring the changes of a session's own tree into your branch",
    load: () => import('./commands/trees/merge.ts'),
  },
  {
    name: 'discard',
    group: 'Sessions',
    summary: "Remove a session's own tree",
    load: () => import('./commands/trees/discard.ts'),
  },
];
