// coi hosts: names for a running session, and the way to them through its guard.
import type { Command } from 'commander';
import { hostsFile, writeHosts } from '../../../app/network/hosts-file.ts';
import { runningContainer } from '../../../app/targets/container-by-name.ts';
import { oneContainer } from '../../../app/targets/workspace-container.ts';
import { CoiError } from '../../../errors.ts';
import { hostEntries, hostEntry, withHost, withoutHosts } from '../../../session/plan/hosts.ts';
import type { Container } from '../../../session/record/instance-record.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { formatted, wantsJson } from '../../format-option.ts';
import { flagsOf } from '../../global-options.ts';
import { sessionTarget } from '../../requests.ts';
import { table } from '../../ui/table.ts';

/** As long as coid permits anything. */
const permitMs = 7 * 24 * 3600 * 1000;

interface AddOptions {
  ports?: string;
  json?: boolean;
}

interface Options extends GlobalOptions {
  container?: string;
}

export function register(command: Command, app: App): void {
  command.option('-c, --container <name>', "name or alias (default: the workspace's only one)");
  const chosen = () => chosenOf(app, flagsOf<Options>(command));
  command
    .command('add')
    .description('let the session find and reach a host by these names, for a week at most')
    .argument('<address>', 'IPv4')
    .argument('<name...>', 'names of the host')
    .option('--ports <ports>', 'only these, for example 443,8000-8100')
    .option('--json', 'print what was added as JSON')
    .action((ip: string, names: string[], options: AddOptions) =>
      add(app, chosen, ip, names, options),
    );
  formatted(command.command('list').description('list what was added')).action(
    async (options: { format?: 'text' | 'json'; json?: boolean }) => {
      const entries = hostEntries(await hostsFile(app, await chosen()));
      if (wantsJson(options))
        return app.io.printJson(entries.map(({ ip, names }) => ({ ip, hostnames: names })));
      const rows = entries.map(({ ip, names }) => [ip, names.join(' ')]);
      app.io.print(rows.length === 0 ? 'No hosts' : table(['ADDRESS', 'NAMES'], rows).join('\n'));
    },
  );
  command
    .command('remove')
    .description('take names or addresses away again; what was opened ends by itself')
    .argument('<name...>', 'names or addresses that were added')
    .option('--json', 'print what was removed as JSON')
    .action(async (names: string[], { json }: { json?: boolean }) => {
      const container = await chosen();
      const before = await hostsFile(app, container);
      const after = withoutHosts(before, names);
      if (after === before)
        throw new CoiError('failed', `none of these was added: ${names.join(', ')}`, {
          hint: 'Run `coi hosts list` to see the names.',
        });
      await writeHosts(app, container, after);
      app.io.tell(`Removed ${names.join(', ')} from ${container.name}`);
      if (json) app.io.printJson({ container: container.name, removed: names });
    });
}

async function chosenOf(app: App, options: Options): Promise<Container> {
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
  await writeHosts(app, container, withHost(await hostsFile(app, container), entry));
  app.io.tell(`Added ${names.join(', ')} (${ip}) to ${container.name}`);
  if (json) app.io.printJson({ container: container.name, ip, hostnames: names });
}
