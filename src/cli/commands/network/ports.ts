// coi ports: ports of the host's loopback that lead into a session that runs.
import type { Command } from 'commander';
import { addPort, removePort } from '../../../app/forwarded-ports/change-ports.ts';
import { portsOf } from '../../../app/forwarded-ports/port-in-use.ts';
import { namedSession, runningSession } from '../../../app/targets/named-session.ts';
import { askedPort } from '../../../session/plan/live-ports.ts';
import type { Forwarding } from '../../../session/plan/ports.ts';
import type { Container } from '../../../session/record/instance-record.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { formatted, wantsJson } from '../../format-option.ts';
import { flagsOf } from '../../global-options.ts';
import { sessionTarget } from '../../requests.ts';
import { table } from '../../ui/table.ts';

interface AddOptions {
  name?: string;
  json?: boolean;
}

export function register(command: Command, app: App): void {
  const given = () => flagsOf<GlobalOptions>(command);
  const session = "name or alias (default: the workspace's only one, or that of --slot)";
  formatted(command.command('list').description('list the ports that lead into the session'))
    .argument('[session]', session)
    .action(async (word: string | undefined, options: { format?: 'text' | 'json' }) => {
      const container = await namedSession(app, sessionTarget(given()), word);
      list(app, container, wantsJson(options));
    });
  command
    .command('add')
    .description("let a port of this host's 127.0.0.1 lead into the session, until it ends")
    .argument('<port>', '5173, or 8080:3000 for port 8080 of the host and 3000 of the session')
    .argument('[session]', session)
    .option('--name <name>', 'a name for it')
    .option('--json', 'print what was added as JSON')
    .action(async (text: string, word: string | undefined, options: AddOptions) => {
      const asked = askedPort(text, options.name);
      const container = await runningSession(app, sessionTarget(given()), word);
      await addPort(app, container, asked);
      const { name } = container;
      app.io.tell(
        `http://127.0.0.1:${asked.host} on this host leads to port ${asked.container} of ${name}`,
      );
      if (options.json) app.io.printJson({ container: name, ...shape(asked) });
    });
  command
    .command('remove')
    .description('take a port away again')
    .argument('<port>', "the host's port, or the name")
    .argument('[session]', session)
    .option('--json', 'print what was removed as JSON')
    .action(async (text: string, word: string | undefined, { json }: AddOptions) => {
      const container = await namedSession(app, sessionTarget(given()), word);
      const gone = await removePort(app, container, text);
      const { name } = container;
      app.io.tell(`Port ${gone.host} of this host does not lead into ${name} any more`);
      if (json) app.io.printJson({ container: name, ...shape(gone) });
    });
}

function list(app: App, container: Container, json: boolean): void {
  const ports = portsOf(container);
  if (json) {
    app.io.printJson({ container: container.name, ports: ports.map((port) => shape(port)) });
    return;
  }
  const rows = ports.map(({ name, listen, host, container: inside }) => [
    `${listen.includes(':') ? `[${listen}]` : listen}:${host}`,
    String(inside),
    name ?? '',
  ]);
  app.io.print(
    rows.length === 0
      ? `No port of the host leads into ${container.name}`
      : table(['HOST', 'SESSION', 'NAME'], rows).join('\n'),
  );
}

function shape({ name, listen, host, container, added }: Forwarding) {
  return {
    ...(name === undefined ? {} : { name }),
    listen,
    host_port: host,
    container_port: container,
    added: added === true,
  };
}
