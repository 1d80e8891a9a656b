// The flags for sessions in a tree of their own.
import type { Command } from 'commander';

export function addTreeOptions(command: Command): Command {
  return command
    .option('--branch <name>', 'work in a tree of its own on this branch; joins its session')
    .option('--new', 'with --branch: refuse a tree that exists')
    .option('--from <commit>', 'with --branch: where a new tree begins (default: HEAD)')
    .option('--own-tree', 'work in a new tree of its own, on a branch that coi names')
    .option(
      '--shared-tree',
      'work in the directory itself, even if the configuration says otherwise',
    );
}
