// `coi list`: the user's containers, from one cheap call, and the saved sessions on request.
import type { Command } from 'commander';
import { Option } from 'commander';
import { bridgeAddresses, savedSessions } from '../../../app/listing.ts';
import { ownContainers } from '../../../app/targets/user-containers.ts';
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
}

export function register(command: Command, app: App): void {
  command
    .option('-a, --all', 'also list saved sessions')
    .option('--long', 'show all details, one per line (default without a terminal)')
    .addOption(
      new Option('--format <format>', 'output format').choices(['text', 'json']).default('text'),
    )
    .option('--json', 'same as --format json')
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
  const isTable = !json && !options.long && app.io.briefStdout;
  // Scripts that read the text need speed, so only the other formats load the details.
  const more = json || isTable ? await import('./list-details.ts') : undefined;
  const [containers, facts] = await Promise.all([
    ownContainers(app, options),
    more?.liveFacts(app),
  ]);
  const shown = containers.filter(
    (container) => status === undefined || container.status === status,
  );
  const addresses = await bridgeAddresses(app, shown);
  const model: SessionList = {
    status,
    containers: shown.map((container) => ({
      ...listedContainer(container, options.allUsers ?? false, addresses),
      ...(facts && more?.containerDetails(app, container, containers, facts)),
    })),
    saved: options.all ? await savedSessions(app, containers, more?.savedDetails(app)) : undefined,
  };
  if (json) app.io.printJson(listJson(model));
  else if (!isTable || !more) app.io.print(listText(model).join('\n'));
  else app.io.print(more.tableLines(app, model).join('\n'));
}
