// coi clean: takes away what has ended. Persistent containers go only by name or with --all.
import type { Command } from 'commander';
import { taken } from '../../../app/cleaning/clean-item.ts';
import { cleanableThings } from '../../../app/cleaning/find.ts';
import {
  namedContainers,
  ownContainers,
  reachableContainers,
} from '../../../app/targets/user-containers.ts';
import { CoiError } from '../../../errors.ts';
import type { Cleanable } from '../../../session/store/cleaning.ts';
import type { App } from '../../app.ts';
import { flagsOf } from '../../global-options.ts';
import { cleanOwnership } from '../../output/ownership.ts';
import { configurationRequest, sessionTarget } from '../../requests.ts';
import { cleanJson } from '../../ui/views/clean.ts';
import { type CleanOptions, onlyDisk } from './clean-options.ts';

export function register(command: Command, app: App): void {
  command
    .argument('[name...]', 'stopped containers, by name or alias, persistent ones too')
    .option('-a, --all', 'stopped persistent containers too')
    .option('-f, --force', 'do not ask')
    .option('--sessions', 'saved sessions (conversations) of the configured tool, no containers')
    .option('--orphans', 'also what interrupted starts have left')
    .option('--pools', 'also what is stopped in storage pools that no profile names')
    .option(
      '--ownership',
      'give what containers left in this workspace and its sessions under their own ids to you',
    )
    .option('--disk', 'show what uses space, and ask whether to delete what is safe to delete')
    .option('--dry-run', 'only say what would be done')
    .option('--json', 'print what was found and cleaned as JSON')
    .action((names: string[]) => clean(app, flagsOf<CleanOptions>(command), names));
}

async function clean(app: App, options: CleanOptions, words: readonly string[]): Promise<void> {
  if (options.disk) return onlyDisk(app, options, words);
  if (options.ownership) return cleanOwnership(app, options);
  const { io } = app;
  const say = options.json ? io.tell : io.print;
  const answer = (
    found: readonly Cleanable[],
    outcomes: readonly { item: Cleanable; gone: boolean }[],
  ) => {
    if (options.json) io.printJson(cleanJson(options.dryRun ?? false, found, outcomes));
  };
  const look = () => (words.length > 0 ? reachableContainers : ownContainers)(app, options);
  const own = await look();
  const named = namedContainers(app, own, words).map(({ name }) => name);
  if (words.length > 0 && named.length === 0)
    throw new CoiError('session-not-found', 'there is nothing of that name to clean', {
      hint: 'Run `coi list` to see your sessions.',
    });
  const nothing = () => {
    say('Nothing to clean.');
    answer([], []);
  };
  const request = { ...sessionTarget(options), ...configurationRequest(app, options) };
  const { all, sessions, orphans, pools } = options;
  const wanted = { all, sessions, orphans, pools, named };
  const cleanableOf = await cleanableThings(app, request, wanted, own);
  const found = cleanableOf(own);
  if (found.length === 0) return nothing();
  say(
    [
      `Found ${found.length} item(s):`,
      ...found.map(({ kind, about }) => `  - ${kind} ${about}`),
    ].join('\n'),
  );
  if (options.dryRun || !(options.force || (await io.confirm(`Delete ${found.length} item(s)?`)))) {
    say(options.dryRun ? '[Dry run] No changes made.' : 'Cancelled.');
    return answer(found, []);
  }
  // The answer may have taken any time, in which what was found may have come to life.
  const now = cleanableOf(await look());
  const outcomes = await Promise.all(
    found.map(async (item) => ({ item, gone: await taken(app, item, now) })),
  );
  say(`✓ Cleaned ${outcomes.filter(({ gone }) => gone).length} item(s)`);
  answer(found, outcomes);
}
