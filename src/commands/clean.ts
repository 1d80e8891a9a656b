// coi clean: takes away what has ended. Persistent containers go only by name or with --all.
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { profileNames } from '../config/profile-files.ts';
import { CoiError } from '../errors.ts';
import { hostFiles } from '../host/files.ts';
import { removeTreeAt } from '../host/remove.ts';
import { quoted } from '../names.ts';
import { type Cleanable, cleanable, stillCleanable } from '../session/cleaning.ts';
import { rootPool } from '../session/listing.ts';
import type { Container } from '../session/record.ts';
import { deleteStopped } from '../session/remove.ts';
import { storedSessions } from '../session/stored.ts';
import { tools } from '../tools/list.ts';
import { oneLine } from '../ui/printable.ts';
import { cleanJson } from '../ui/views/clean.ts';
import { answeringWorkspace } from './answering.ts';
import type { GlobalOptions } from './command.ts';
import { namedContainers, ownContainers, reachableContainers } from './containers.ts';
import { flagsOf } from './global.ts';
import { namedElsewhere } from './named-elsewhere.ts';
import { cleanOwnership } from './ownership.ts';
import { config } from './prepare.ts';

interface CleanOptions extends GlobalOptions {
  all?: boolean;
  force?: boolean;
  sessions?: boolean;
  orphans?: boolean;
  pools?: boolean;
  ownership?: boolean;
  disk?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

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
  const { settings } = await config(app, options, answeringWorkspace(app, options.workspace));
  const known = new Map(tools(settings).map((tool) => [tool.name, tool]));
  const query = {
    home: app.user.home,
    known: (name: string) => known.get(name),
    ...(options.sessions ? { tool: settings['tool.name'] } : {}),
  };
  const wish = {
    all: options.all ?? false,
    named,
    sessions: options.sessions ?? false,
    orphans: options.orphans ?? false,
    nowMs: app.clock.now().getTime(),
    ...(options.pools ? await namedPools(app, options, own) : {}),
  };
  const stored = () =>
    options.sessions || options.orphans ? storedSessions(query, hostFiles) : [];
  const found = cleanable(wish, own, stored());
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
  const now = cleanable(wish, await look(), stored());
  const outcomes = await Promise.all(
    found.map(async (item) => ({ item, gone: await taken(app, item, now) })),
  );
  say(`✓ Cleaned ${outcomes.filter(({ gone }) => gone).length} item(s)`);
  answer(found, outcomes);
}

/** It decides by itself what is safe, so nothing else can be chosen with it. */
async function onlyDisk(app: App, options: CleanOptions, words: readonly string[]): Promise<void> {
  const others = ['all', 'sessions', 'orphans', 'pools', 'ownership'] as const;
  const other = others.find((name) => options[name]);
  if (other !== undefined || words.length > 0)
    throw new CoiError(
      'usage',
      `--disk does not go together with ${other === undefined ? 'names' : `--${other}`}`,
      { hint: 'First `coi clean --disk --dry-run`, then clean what you choose.' },
    );
  return (await import('./clean-disk.ts')).cleanDisk(app, options);
}

/** Those that some configuration or profile names; where none is named here it is the default profile's of Incus. */
async function namedPools(
  app: App,
  options: CleanOptions,
  own: readonly Container[],
): Promise<{ pools?: ReadonlySet<string> }> {
  const workspace = answeringWorkspace(app, options.workspace);
  const places = { home: app.user.home, workspace, cwd: app.cwd, env: app.env };
  const profiles = [undefined, ...profileNames(places, hostFiles).map(({ name }) => name)];
  const incus = await app.incus();
  const usual = await incus.profile('default', { signal: app.signal });
  const fallback =
    rootPool(usual?.devices ?? {}) || (await incus.storagePools({ signal: app.signal }))[0]?.name;
  const pools = new Set<string>();
  for (const profile of profiles) {
    const { settings } = await config(app, { ...options, profile }, workspace);
    pools.add(settings['container.storage_pool'] || (fallback ?? ''));
  }
  const elsewhere = await namedElsewhere(app, workspace, own);
  const [unread] = elsewhere.unread;
  if (unread !== undefined) {
    app.io.warn(`--pools takes nothing: ${quoted(unread)} cannot be read, and may name a pool`);
    return {};
  }
  for (const name of elsewhere.pools) pools.add(name);
  app.io.warn(
    `storage pools in use: ${[...pools].map(oneLine).join(', ')}; the others themselves stay`,
  );
  return { pools };
}

async function taken(app: App, item: Cleanable, now: readonly Cleanable[]): Promise<boolean> {
  const left = (why: string) => {
    app.io.warn(`${item.about}: ${why} since it was listed, so it is left alone`);
    return false;
  };
  if (!stillCleanable(item, now))
    return left(item.kind === 'container' ? 'it was changed or started' : 'it was resumed');
  try {
    if (item.kind === 'session') await removeTreeAt(item.dir, { shred: true });
    else if ((await deleteStopped(await app.incus(), item.ref, app.signal)) === 'runs')
      return left('it was started');
    return true;
  } catch (error) {
    app.io.warn(`${item.about}: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}
