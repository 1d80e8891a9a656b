// coi hosts: names for a running session, and the way to them through its guard.
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { meant } from '../session/act.ts';
import { refOf } from '../session/container-ref.ts';
import { incusFailure } from '../session/failure.ts';
import { hostEntries, hostEntry, withHost, withoutHosts } from '../session/hosts.ts';
import type { Container } from '../session/record.ts';
import { table } from '../ui/table.ts';
import { runningContainer } from './any-container.ts';
import type { GlobalOptions } from './command.ts';
import { formatted, wantsJson } from './container.ts';
import { flagsOf } from './global.ts';
import { oneContainer } from './one-container.ts';

/** As long as coid permits anything. */
const permitMs = 7 * 24 * 3600 * 1000;
const limitMs = 20_000;

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
  const { name } = await oneContainer(app, options, options.container);
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

async function hostsFile(app: App, container: Container): Promise<string> {
  const { stdout } = await asRoot(app, container, ['cat', '/etc/hosts'], '');
  return stdout;
}

/** Written through the file that is there: Incus or Docker may have mounted it. */
async function writeHosts(app: App, container: Container, text: string): Promise<void> {
  await asRoot(app, container, ['sh', '-c', 'cat >/etc/hosts'], text);
}

async function asRoot(
  app: App,
  { name, instance }: Container,
  command: readonly string[],
  input: string,
): Promise<{ stdout: string }> {
  try {
    const incus = await app.incus();
    const options = { signal: app.signal, timeoutMs: limitMs };
    await meant(incus, refOf(instance), options);
    const said = await incus.execCaptured(name, { command, user: 0, group: 0, input }, options);
    if (said.status !== 0) throw new CoiError('failed', `/etc/hosts of ${name} cannot be changed`);
    return { stdout: said.stdout.toString('utf8') };
  } catch (error) {
    throw incusFailure(error, `reading /etc/hosts of ${name} failed`);
  }
}
