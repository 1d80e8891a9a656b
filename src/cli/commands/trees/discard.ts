// `coi discard`: removes a session's own tree.
import type { Command } from 'commander';
import {
  type Discarded,
  discardTree,
  lossText,
  type Unmerged,
} from '../../../app/trees/discard-tree.ts';
import { findTree } from '../../../app/trees/find-tree.ts';
import { CoiError } from '../../../errors.ts';
import { shellQuoteIfNeeded } from '../../../shell-quoting.ts';
import type { TreeRecord } from '../../../trees/tree-record.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';
import { changesText } from '../../ui/views/changes.ts';

interface DiscardOptions extends GlobalOptions {
  force?: boolean;
  json?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .argument('<tree>', 'name or branch of the tree')
    .option('-f, --force', 'also remove changes that are not merged, without asking')
    .option('--json', 'print the result as JSON')
    .action((tree: string) => discard(app, mergedOptions<DiscardOptions>(command), tree));
}

async function discard(app: App, options: DiscardOptions, word: string): Promise<void> {
  const { io } = app;
  const tree = await findTree(app, { word, workspace: options.workspace });
  const { record } = tree;
  const mayLose = async (unmerged: Unmerged) => {
    if (options.force) return true;
    const loss = lossText(unmerged);
    if (!io.interactive) {
      const names = unmerged.changes
        .map(({ path }) => path)
        .slice(0, 5)
        .join(', ');
      throw new CoiError('tree-unmerged', `the tree ${record.name} has ${loss}: ${names}`, {
        hint: `Run \`coi merge ${record.name}\` first, or add --force.`,
      });
    }
    io.info(changesText(unmerged.changes, unmerged.leftBehind, io.stderrStyle).join('\n'));
    return io.confirm(`The tree ${record.name} has ${loss}. Remove it?`);
  };
  const done = await discardTree(app, tree, mayLose);
  if (options.json)
    io.printJson({
      tree: record.name,
      discarded: done !== undefined,
      capture: done?.capture ?? null,
    });
  else if (!done) io.print('Cancelled.');
  else io.print([`Removed the tree ${record.name}.`, ...keptText(record, done)].join('\n'));
}

/** coi's own repository holds nothing that the agent could write. */
function keptText(
  { name, repository }: TreeRecord,
  { capture, repository: { captures } }: Discarded,
) {
  if (capture === undefined) return [];
  return [
    'Its last state is kept. To get it back as a branch:',
    `  git -C ${shellQuoteIfNeeded(repository)} fetch ${shellQuoteIfNeeded(captures)} refs/coi/discarded/${name}:refs/heads/${name}-discarded`,
  ];
}
