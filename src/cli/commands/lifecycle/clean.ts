// `coi clean`: deletes stopped containers and saved sessions. Persistent containers only by name or with --all.
import type { Command } from 'commander';
import { cleanItem } from '../../../app/cleaning/clean-item.ts';
import { cleanableFinder } from '../../../app/cleaning/find.ts';
import {
  namedContainers,
  ownContainers,
  reachableContainers,
} from '../../../app/targets/user-containers.ts';
import { CoiError } from '../../../errors.ts';
import { quoted } from '../../../names.ts';
import type { Cleanable } from '../../../session/store/cleanable.ts';
import type { App } from '../../app.ts';
import { mergedOptions } from '../../global-options.ts';
import { cleanOwnership } from '../../output/ownership.ts';
import { configurationRequest, sessionTarget } from '../../requests.ts';
import { cleanJson } from '../../ui/views/clean.ts';
import { type CleanOptions, cleanDiskOnly } from './clean-options.ts';

export function register(command: Command, app: App): void {
  command
    .argument('[name...]', 'names or aliases of stopped containers, persistent ones included')
    .option('-a, --all', 'also delete stopped persistent containers')
    .option('-f, --force', 'skip the confirmation prompt')
    .option(
      '--sessions',
      'delete saved sessions (conversations) of the configured agent instead of containers',
    )
    .option('--orphans', 'also remove leftovers of interrupted starts')
    .option('--pools', 'also delete stopped containers in storage pools that no profile names')
    .option(
      '--ownership',
      'take ownership of files that containers left behind in this workspace and its sessions',
    )
    .option('--disk', 'show disk usage, and offer to delete what is safe to delete')
    .option('--dry-run', 'only show what would be done')
    .option('--json', 'print the result as JSON')
    .action((names: string[]) => clean(app, mergedOptions<CleanOptions>(command), names));
}

async function clean(app: App, options: CleanOptions, words: readonly string[]): Promise<void> {
  if (options.disk) return cleanDiskOnly(app, options, words);
  if (options.ownership) return cleanOwnership(app, options);
  const { io } = app;
  const print = options.json ? io.info : io.print;
  const printResult = (
    found: readonly Cleanable[],
    outcomes: readonly { item: Cleanable; deleted: boolean }[],
  ) => {
    if (options.json) io.printJson(cleanJson(options.dryRun ?? false, found, outcomes));
  };
  const look = () => (words.length > 0 ? reachableContainers : ownContainers)(app, options);
  const own = await look();
  const named = namedContainers(app, own, words).map(({ name }) => name);
  if (words.length > 0 && named.length === 0)
    throw new CoiError(
      'session-not-found',
      `nothing named ${words.map(quoted).join(', ')} to clean`,
      {
        hint: 'Run `coi list` to see your sessions.',
      },
    );
  const nothing = () => {
    print('Nothing to clean.');
    printResult([], []);
  };
  const request = { ...sessionTarget(options), ...configurationRequest(app, options) };
  const { all, sessions, orphans, pools } = options;
  const wanted = { all, sessions, orphans, pools, named };
  const cleanableOf = await cleanableFinder(app, request, wanted, own);
  const found = cleanableOf(own);
  if (found.length === 0) return nothing();
  print(
    [
      `Found ${found.length} item(s):`,
      ...found.map(({ kind, about }) => `  - ${kind} ${about}`),
    ].join('\n'),
  );
  if (options.dryRun || !(options.force || (await io.confirm(`Delete ${found.length} item(s)?`)))) {
    print(options.dryRun ? '[Dry run] No changes made.' : 'Cancelled.');
    return printResult(found, []);
  }
  // A container may have been started while the question was open.
  const now = cleanableOf(await look());
  const outcomes = await Promise.all(
    found.map(async (item) => ({ item, deleted: await cleanItem(app, item, now) })),
  );
  print(`✓ Cleaned ${outcomes.filter(({ deleted }) => deleted).length} item(s)`);
  printResult(found, outcomes);
}
