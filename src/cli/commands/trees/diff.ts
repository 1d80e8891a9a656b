// `coi diff`: shows what a session has changed in its own tree.
import type { Command } from 'commander';
import { findTree, repositoryFor } from '../../../app/trees/find-tree.ts';
import { diffTree } from '../../../app/trees/tree-diff.ts';
import { patchOf } from '../../../app/trees/tree-patch.ts';
import { CoiError, ExitStatus } from '../../../errors.ts';
import { oneLine } from '../../../printable.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';
import { showInPager } from '../../output/pager.ts';
import { changesJson, changesText } from '../../ui/views/changes.ts';

interface DiffOptions extends GlobalOptions {
  stat?: boolean;
  nameOnly?: boolean;
  json?: boolean;
  exitCode?: boolean;
  all?: boolean;
  pager?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .argument('[tree]', 'name or branch of the tree (default: the only one of the repository)')
    .argument('[path...]', 'only these files and directories, relative to the tree')
    .option('--stat', 'list the files with their counts of lines')
    .option('--name-only', 'list only the names of the files')
    .option('--json', 'print the list of changes as JSON')
    .option('--exit-code', 'exit with 1 if there are changes')
    .option('-a, --all', 'also show what was merged already')
    .option('--no-pager', 'do not open a pager')
    .action((tree: string | undefined, paths: string[]) =>
      diff(app, mergedOptions<DiffOptions>(command), tree, paths),
    );
}

async function diff(
  app: App,
  options: DiffOptions,
  word: string | undefined,
  paths: readonly string[],
): Promise<void> {
  const { io } = app;
  if (paths.length > 0 && (options.stat || options.nameOnly || options.json))
    throw new CoiError('usage', 'paths only select a part of the text', {
      hint: 'Leave out --stat, --name-only and --json.',
    });
  const tree = await findTree(app, { word, workspace: options.workspace });
  const repository = await repositoryFor(app, tree, options.workspace);
  const found = await diffTree(app, tree, { repository, all: options.all ?? false });
  const { changes, leftBehind } = found;
  if (options.json) io.printJson(changesJson(found.tree.record, found, changes, leftBehind));
  else if (options.nameOnly) for (const { path } of changes) io.print(oneLine(path));
  else if (options.stat) io.print(changesText(changes, leftBehind, io.stdoutStyle).join('\n'));
  else {
    const patch = await patchOf(app, found, paths);
    for (const { path, why } of leftBehind) io.warn(`${path} is not included: ${why}`);
    await showInPager(app, patch, { usesPager: options.pager ?? true, tree: found.tree });
  }
  if (options.exitCode && changes.length > 0) throw new ExitStatus(1);
}
