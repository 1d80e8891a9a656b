// `coi trees`: lists the own trees of a repository, or of all.
import type { Command } from 'commander';
import { ownContainers } from '../../../app/targets/user-containers.ts';
import { treesHere } from '../../../app/trees/find-tree.ts';
import { allTrees } from '../../../app/trees/tree-store.ts';
import { workspaceOf } from '../../../session/record/instance-record.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { addFormatOptions, type FormatOptions, wantsJson } from '../../format-option.ts';
import { mergedOptions } from '../../global-options.ts';
import { treesJson, treesText } from '../../ui/views/trees.ts';

interface TreesOptions extends GlobalOptions, FormatOptions {
  all?: boolean;
}

export function register(command: Command, app: App): void {
  addFormatOptions(command)
    .option('-a, --all', 'list the trees of all repositories')
    .action(() => list(app, mergedOptions<TreesOptions>(command)));
}

async function list(app: App, options: TreesOptions): Promise<void> {
  const [trees, containers] = await Promise.all([
    options.all ? allTrees(app.user.home) : treesHere(app, options.workspace),
    ownContainers(app, {}),
  ]);
  const rows = trees.map((tree) => ({
    tree,
    containers: containers
      .filter((container) => workspaceOf(container) === tree.places.tree)
      .map(({ name }) => name),
  }));
  if (wantsJson(options)) return app.io.printJson(treesJson(rows));
  const facts = { nowMs: app.clock.now().getTime(), home: app.user.home };
  app.io.print(treesText(rows, facts).join('\n'));
}
