// `coi list`: the user's containers, from one cheap call, and the saved sessions on request.
import type { Command } from 'commander';
import { Option } from 'commander';
import { bridgeAddresses, savedSessions } from '../../../app/listing.ts';
import { ownContainers } from '../../../app/targets/user-containers.ts';
import type { InstanceStatus } from '../../../incus/shapes.ts';
import { listedContainer, type SessionList } from '../../../session/record/listing.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';
import { listJson, listText } from '../../ui/views/list.ts';
import { instanceStatuses, parseStatus, type StatusOptions } from './list-status.ts';

interface Options extends GlobalOptions, StatusOptions {
  all?: boolean;
  format: 'text' | 'json';
  json?: boolean;
  long?: boolean;
  watch?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .option('-a, --all', 'also list saved sessions')
    .option('--long', 'show all details, one per line (default without a terminal)')
    .addOption(
      new Option('--format <format>', 'output format').choices(['text', 'json']).default('text'),
    )
    .option('--json', 'same as --format json')
    .option('--watch', 'print again at every change, until Ctrl-C; with --json one line each time')
    .option('--running', 'only running containers')
    .option('--stopped', 'only stopped containers')
    .option(
      '--status <status>',
      `only containers with this status (${instanceStatuses.join(', ').toLowerCase()})`,
    )
    .action(() => list(app, mergedOptions<Options>(command)));
}

async function list(app: App, options: Options): Promise<void> {
  const status = parseStatus(options);
  const json = options.json || options.format === 'json';
  if (options.watch) {
    const { watchList } = await import('./list-watch.ts');
    return watchList(app, async () => {
      const model = await readList(app, options, status, true);
      return json ? { json: listJson(model) } : { lines: await textLines(app, options, model) };
    });
  }
  const model = await readList(app, options, status, json || isTable(app, options));
  if (json) app.io.printJson(listJson(model));
  else app.io.print((await textLines(app, options, model)).join('\n'));
}

async function textLines(app: App, options: Options, model: SessionList): Promise<string[]> {
  if (!isTable(app, options)) return listText(model);
  return (await import('./list-details.ts')).tableLines(app, model);
}

function isTable({ io }: App, { long }: Options): boolean {
  return long !== true && io.briefStdout;
}

/** Scripts that read the text need speed, so only the other formats load the details. */
async function readList(
  app: App,
  options: Options,
  status: InstanceStatus | undefined,
  withDetails: boolean,
): Promise<SessionList> {
  const more = withDetails ? await import('./list-details.ts') : undefined;
  const [containers, facts] = await Promise.all([
    ownContainers(app, options),
    more?.liveFacts(app),
  ]);
  const shown = containers.filter(
    (container) => status === undefined || container.status === status,
  );
  const addresses = await bridgeAddresses(app, shown);
  return {
    status,
    containers: shown.map((container) => ({
      ...listedContainer(container, options.allUsers ?? false, addresses),
      ...(facts && more?.containerDetails(app, container, containers, facts)),
    })),
    saved: options.all ? await savedSessions(app, containers, more?.savedDetails(app)) : undefined,
  };
}
