// `coi hosts`: adds host names to a running session and permits them in its network guard.
import type { Command } from 'commander';
import { readHostsFile, writeHostsFile } from '../../../app/network/hosts-file.ts';
import { runningContainer } from '../../../app/targets/container-by-name.ts';
import { oneContainer } from '../../../app/targets/workspace-container.ts';
import { CoiError } from '../../../errors.ts';
import { addHost, hostEntries, hostEntry, removeHosts } from '../../../session/plan/hosts.ts';
import type { Container } from '../../../session/record/instance-record.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { addFormatOptions, wantsJson } from '../../format-option.ts';
import { mergedOptions } from '../../global-options.ts';
import { sessionTarget } from '../../requests.ts';
import { table } from '../../ui/table.ts';

/** The longest permit of coid. */
const permitMs = 7 * 24 * 3600 * 1000;

interface AddOptions {
  ports?: string;
  json?: boolean;
}

interface Options extends GlobalOptions {
  container?: string;
}

export function register(command: Command, app: App): void {
  command.option(
    '-c, --container <name>',
    'name or alias (default: the only one of the workspace)',
  );
  const chosen = () => selectContainer(app, mergedOptions<Options>(command));
  command
    .command('add')
    .description('add names for a host and allow access to it, for a week at most')
    .argument('<address>', 'IPv4 address of the host')
    .argument('<name...>', 'names of the host')
    .option('--ports <ports>', 'allow only these ports, for example 443,8000-8100')
    .option('--json', 'print the result as JSON')
    .action((ip: string, names: string[], options: AddOptions) =>
      add(app, chosen, ip, names, options),
    );
  addFormatOptions(command.command('list').description('list the added hosts')).action(
    async (options: { format?: 'text' | 'json'; json?: boolean }) => {
      const entries = hostEntries(await readHostsFile(app, await chosen()));
      if (wantsJson(options))
        return app.io.printJson(entries.map(({ ip, names }) => ({ ip, hostnames: names })));
      const rows = entries.map(({ ip, names }) => [ip, names.join(' ')]);
      app.io.print(rows.length === 0 ? 'No hosts' : table(['ADDRESS', 'NAMES'], rows).join('\n'));
    },
  );
  command
    .command('remove')
    .description('remove entries (their network permits expire on their own)')
    .argument('<name...>', 'added names or addresses')
    .option('--json', 'print the result as JSON')
    .action(async (names: string[], { json }: { json?: boolean }) => {
      const container = await chosen();
      const before = await readHostsFile(app, container);
      const after = removeHosts(before, names);
      if (after === before)
        throw new CoiError('failed', `none of these was added: ${names.join(', ')}`, {
          hint: 'Run `coi hosts list` to see the names.',
        });
      await writeHostsFile(app, container, after);
      app.io.info(`Removed ${names.join(', ')} from ${container.name}`);
      if (json) app.io.printJson({ container: container.name, removed: names });
    });
}

async function selectContainer(app: App, options: Options): Promise<Container> {
  const { name } = await oneContainer(app, sessionTarget(options), options.container);
  return runningContainer(app, options, name);
}

async function add(
  app: App,
  chosen: () => Promise<Container>,
  ip: string,
  names: readonly string[],
  { ports, json }: AddOptions,
): Promise<void> {
  const entry = hostEntry(ip, names);
  const container = await chosen();
  if (container.session && container.session.network !== 'open') {
    const coid = await app.coid();
    const opened = ports === undefined ? ip : `${ip}:${ports}`;
    const { id } = container.session.mounts;
    const permit = { id, entry: opened, forMs: permitMs };
    await coid.permit(container.name, permit, { signal: app.signal });
  }
  await writeHostsFile(app, container, addHost(await readHostsFile(app, container), entry));
  app.io.info(`Added ${names.join(', ')} (${ip}) to ${container.name}`);
  if (json) app.io.printJson({ container: container.name, ip, hostnames: names });
}
