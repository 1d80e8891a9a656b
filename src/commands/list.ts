// coi list: the user's containers, from one cheap call, and the saved sessions when asked for.
import type { Command } from 'commander';
import { Option } from 'commander';
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import type { InstanceStatus } from '../incus/shapes.ts';
import { quoted } from '../names.ts';
import {
  addressNow,
  listedContainer,
  pinnedAddress,
  type SavedRow,
  type SessionList,
} from '../session/listing.ts';
import type { SessionMetadata } from '../session/metadata.ts';
import type { Container } from '../session/record.ts';
import { listJson, listText } from '../ui/views/list.ts';
import type { GlobalOptions } from './command.ts';
import { type OwnerOptions, ownContainers } from './containers.ts';
import { flagsOf } from './global.ts';

const states = [
  'Running',
  'Stopped',
  'Frozen',
  'Error',
  'Starting',
  'Stopping',
  'Freezing',
  'Thawed',
  'Aborting',
  'Ready',
] as const satisfies readonly InstanceStatus[];

interface Options extends GlobalOptions, OwnerOptions {
  all?: boolean;
  format: 'text' | 'json';
  json?: boolean;
  long?: boolean;
  running?: boolean;
  stopped?: boolean;
  status?: string;
}

export function register(command: Command, app: App): void {
  command
    .option('-a, --all', 'the saved sessions too')
    .option('--long', 'all of each session, a line for each fact (as without a terminal)')
    .addOption(
      new Option('--format <format>', 'how to print it').choices(['text', 'json']).default('text'),
    )
    .option('--json', 'the same as --format json')
    .option('--running', 'only running containers')
    .option('--stopped', 'only stopped containers')
    .option(
      '--status <status>',
      `only containers of that status (${states.join(', ').toLowerCase()})`,
    )
    .action(() => list(app, flagsOf<Options>(command)));
}

async function list(app: App, options: Options): Promise<void> {
  const status = wantedStatus(options);
  const json = options.json || options.format === 'json';
  const isTable = !json && !options.long && app.io.briefAnswer;
  // Scripts that read the text are many, and quick: only the others pay for more.
  const more = json || isTable ? await import('./list-more.ts') : undefined;
  const [containers, facts] = await Promise.all([
    ownContainers(app, options),
    more?.liveFacts(app),
  ]);
  const shown = containers.filter(
    (container) => status === undefined || container.status === status,
  );
  const addresses = await foundAddresses(app, shown);
  const model: SessionList = {
    status,
    containers: shown.map((container) => ({
      ...listedContainer(container, options.allUsers ?? false, addresses),
      ...(facts && more?.ofContainer(app, container, containers, facts)),
    })),
    saved: options.all ? await savedSessions(app, containers, more?.ofSaved(app)) : undefined,
  };
  if (json) app.io.printJson(listJson(model));
  else if (!isTable || !more) app.io.print(listText(model).join('\n'));
  else app.io.print(more.tableLines(app, model).join('\n'));
}

/** Of those that have no pinned one: what is no session gets its address from the bridge. */
async function foundAddresses(
  app: App,
  containers: readonly Container[],
): Promise<Map<string, string>> {
  const unknown = containers.filter(
    (one) => one.adopted && one.status !== 'Stopped' && !pinnedAddress(one),
  );
  if (unknown.length === 0) return new Map();
  const incus = await app.incus();
  const asked = unknown.map(async ({ name }): Promise<[string, string][]> => {
    // One that is just going does not spoil the list.
    const state = await incus.instanceState(name, { signal: app.signal }).catch(() => undefined);
    const address = state && addressNow(state);
    return address === undefined ? [] : [[name, address]];
  });
  return new Map((await Promise.all(asked)).flat());
}

/** Those that a `coi shell --resume` could go on with: a session that is live now is not saved yet. */
async function savedSessions(
  app: App,
  containers: readonly Container[],
  more: ((metadata: SessionMetadata) => Partial<SavedRow>) | undefined,
): Promise<SavedRow[]> {
  const [{ hostFiles }, { storedSessions }] = await Promise.all([
    import('../host/files.ts'),
    import('../session/stored.ts'),
  ]);
  const live = new Set(
    containers.filter(({ status }) => status !== 'Stopped').map(({ session }) => session?.session),
  );
  return storedSessions({ home: app.user.home }, hostFiles).flatMap((entry) => {
    if (entry.kind !== 'saved' || live.has(entry.metadata.sessionId)) return [];
    const { sessionId, savedAt, workspace } = entry.metadata;
    return [{ id: sessionId, savedAt, workspace, ...more?.(entry.metadata) }];
  });
}

function wantedStatus({ running, stopped, status }: Options): InstanceStatus | undefined {
  if ([running, stopped, status !== undefined].filter(Boolean).length > 1) {
    throw new CoiError('usage', '--running, --stopped and --status exclude each other', {
      hint: 'Use one of them.',
    });
  }
  if (running) return 'Running';
  if (stopped) return 'Stopped';
  if (status === undefined) return undefined;
  const found = states.find((state) => state.toLowerCase() === status.toLowerCase());
  if (found) return found;
  throw new CoiError('usage', `invalid --status ${quoted(status)}`, {
    hint: `One of: ${states.join(', ').toLowerCase()}.`,
  });
}
