// `coi merge`: brings the changes of a session's own tree into the current branch.
import type { Command } from 'commander';
import { findTree, repositoryFor } from '../../../app/trees/find-tree.ts';
import { type MergeRequest, type MergeResult, mergeTree } from '../../../app/trees/merge-tree.ts';
import { CoiError } from '../../../errors.ts';
import { countChanges } from '../../../trees/changes.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';
import { changesText } from '../../ui/views/changes.ts';
import { mergeJson } from '../../ui/views/trees.ts';

interface MergeOptions extends GlobalOptions {
  apply?: boolean;
  dryRun?: boolean;
  message?: string;
  json?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .argument('[tree]', 'name or branch of the tree (default: the only one of the repository)')
    .option('--apply', 'stage the changes without a commit, so that `git commit` runs your hooks')
    .option('-m, --message <text>', 'message of the commit')
    .option('--dry-run', 'only show what would be merged, and whether it can be')
    .option('--json', 'print the result as JSON')
    .action((tree: string | undefined) => merge(app, mergedOptions<MergeOptions>(command), tree));
}

async function merge(app: App, options: MergeOptions, word: string | undefined): Promise<void> {
  const { io } = app;
  const wanted = requestOf(options);
  const tree = await findTree(app, { word, workspace: options.workspace });
  const repository = await repositoryFor(app, tree, options.workspace);
  const result = await mergeTree(app, tree, { ...wanted, repository });
  if (options.json) return io.printJson(mergeJson(result));
  io.print(changesText(result.changes, result.leftBehind, io.stdoutStyle).join('\n'));
  if (result.changes.length === 0) return;
  const { files } = countChanges(result.changes);
  io.print(endText(options, result, files));
  if (result.hasHooks && result.commit)
    io.info('Hooks for commits did not run; `coi merge --apply` and `git commit` run them.');
}

function requestOf({
  apply,
  dryRun,
  message,
}: MergeOptions): Pick<MergeRequest, 'mode' | 'message'> {
  if (message !== undefined && (apply || message.trim() === ''))
    throw new CoiError('usage', apply ? '--message needs a commit' : '--message is empty', {
      hint: apply ? 'Leave out --apply or --message.' : 'Give a text, or leave it out.',
    });
  return { mode: dryRun ? 'check' : apply ? 'apply' : 'commit', message };
}

function endText({ apply, dryRun }: MergeOptions, result: MergeResult, files: number): string {
  const { branch, commit, tree } = result;
  const target = branch ?? 'HEAD (detached)';
  if (dryRun) return `Can be merged into ${target}. Nothing was changed.`;
  if (apply) return `Staged ${files} files on ${target}. Run \`git commit\` to keep them.`;
  return `Merged ${tree.record.branch} into ${target} as ${commit?.slice(0, 10)}.`;
}
