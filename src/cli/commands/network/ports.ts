// `coi ports`: forwards ports of the host's loopback to a running session.
import type { Command } from 'commander';
import { forwardPort, removePort } from '../../../app/forwarded-ports/change-ports.ts';
import { portsOf } from '../../../app/forwarded-ports/port-in-use.ts';
import { namedSession, runningSession } from '../../../app/targets/named-session.ts';
import { parsePortForward } from '../../../session/plan/live-ports.ts';
import type { Forwarding } from '../../../session/plan/ports.ts';
import type { Container } from '../../../session/record/instance-record.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { addFormatOptions, wantsJson } from '../../format-option.ts';
import { mergedOptions } from '../../global-options.ts';
import { sessionTarget } from '../../requests.ts';
import { table } from '../../ui/table.ts';

interface AddOptions {
  name?: string;
  json?: boolean;
}

export function register(command: Command, app: App): void {
  const globals = () => mergedOptions<GlobalOptions>(command);
  const session = 'name or alias (default: the only one of the workspace, or the one of --slot)';
  addFormatOptions(
    command.command('list').description('list the ports that are forwarded to the session'),
  )
    .argument('[session]', session)
    .action(async (word: string | undefined, options: { format?: 'text' | 'json' }) => {
      const container = await namedSession(app, sessionTarget(globals()), word);
      list(app, container, wantsJson(options));
    });
  command
    .command('add')
    .description("forward a port of this host's 127.0.0.1 to the session, until it ends")
    .argument('<port>', '5173, or 8080:3000 for port 8080 of the host and 3000 of the session')
    .argument('[session]', session)
    .option('--name <name>', 'name of the forwarded port')
    .option('--json', 'print the result as JSON')
    .action(async (text: string, word: string | undefined, options: AddOptions) => {
      const requested = parsePortForward(text, options.name);
      const container = await runningSession(app, sessionTarget(globals()), word);
      await forwardPort(app, container, requested);
      const { name } = container;
      app.io.info(
        `Forwarding http://127.0.0.1:${requested.host} on this host to port ${requested.container} of ${name}`,
      );
      if (options.json) app.io.printJson({ container: name, ...portJson(requested) });
    });
  command
    .command('remove')
    .description('stop forwarding a port')
    .argument('<port>', 'port on the host, or name')
    .argument('[session]', session)
    .option('--json', 'print the result as JSON')
    .action(async (text: string, word: string | undefined, { json }: AddOptions) => {
      const container = await namedSession(app, sessionTarget(globals()), word);
      const removed = await removePort(app, container, text);
      const { name } = container;
      app.io.info(`Port ${removed.host} of this host is no longer forwarded to ${name}`);
      if (json) app.io.printJson({ container: name, ...portJson(removed) });
    });
}

function list(app: App, container: Container, json: boolean): void {
  const ports = portsOf(container);
  if (json) {
    app.io.printJson({ container: container.name, ports: ports.map((port) => portJson(port)) });
    return;
  }
  const rows = ports.map(({ name, listen, host, container: inside }) => [
    `${listen.includes(':') ? `[${listen}]` : listen}:${host}`,
    String(inside),
    name ?? '',
  ]);
  app.io.print(
    rows.length === 0
      ? `No ports are forwarded to ${container.name}`
      : table(['HOST', 'SESSION', 'NAME'], rows).join('\n'),
  );
}

function portJson({ name, listen, host, container, added }: Forwarding) {
  return {
    ...(name === undefined ? {} : { name }),
    listen,
    host_port: host,
    container_port: container,
    added: added === true,
  };
}
