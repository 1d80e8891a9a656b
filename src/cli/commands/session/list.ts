// coi list: the user's containers, from one cheap call, and the saved sessions when asked for.
import type { Command } from 'commander';
import { Option } from 'commander';
import { foundAddresses, savedSessions } from '../../../app/listing.ts';
import { ownContainers } from '../../../app/targets/user-containers.ts';
import { listedContainer, type SessionList } from '../../../session/record/listing.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { flagsOf } from '../../global-options.ts';
import { listJson, listText } from '../../ui/views/list.ts';
import { type StatusOptions, states, wantedStatus } from './list-status.ts';

interface Options extends GlobalOptions, StatusOptions {
  all?: boolean;
  format: 'text' | 'json';
  json?: boolean;
  long?: boolean;
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
  const more = json || isTable ? await import('./list-details.ts') : undefined;
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
