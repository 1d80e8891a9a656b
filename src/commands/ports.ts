// coi ports: ports of the host's loopback that lead into a session that runs.
import { basename } from 'node:path';
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { isLocalPortFree } from '../host/free-port.ts';
import { portHolder } from '../host/port-holder.ts';
import { meant, replaceContainer, updateContainer } from '../session/act.ts';
import { refOf } from '../session/container-ref.ts';
import { incusFailure, isIncusError } from '../session/failure.ts';
import { askedPort, portNamed, sessionWith, withPort } from '../session/live-ports.ts';
import {
  type Forwarding,
  portDevice,
  portDevices,
  portsKey,
  recordedPorts,
} from '../session/ports.ts';
import { type Container, coiContainers } from '../session/record.ts';
import { table } from '../ui/table.ts';
import type { GlobalOptions } from './command.ts';
import { formatted, wantsJson } from './container.ts';
import { reachable } from './extras.ts';
import { flagsOf } from './global.ts';
import { namedSession, runningSession } from './named-session.ts';

const limitMs = 60_000;
/** How far it is looked for a free one. */
const looksMax = 200;

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
      const container = await namedSession(app, given(), word);
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
      await add(app, await runningSession(app, given(), word), asked, options.json);
    });
  command
    .command('remove')
    .description('take a port away again')
    .argument('<port>', "the host's port, or the name")
    .argument('[session]', session)
    .option('--json', 'print what was removed as JSON')
    .action(async (text: string, word: string | undefined, { json }: AddOptions) => {
      await remove(app, await namedSession(app, given(), word), text, json);
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

async function add(
  app: App,
  container: Container,
  asked: Forwarding,
  json: boolean | undefined,
): Promise<void> {
  const { name } = container;
  withPort(portsOf(container), asked);
  if (!(await isLocalPortFree(asked.host))) throw await taken(app, container, asked);
  const incus = await app.incus();
  const options = { signal: app.signal, timeoutMs: limitMs };
  const ref = refOf(container.instance);
  try {
    // Before it is open: what fails afterwards would leave a port that nobody was told of.
    await meant(incus, ref, options);
    await reachable(incus, name, app.signal);
    await updateContainer(
      incus,
      ref,
      ({ config }) => ({
        devices: portDevices([asked]),
        config: { [portsKey]: JSON.stringify(withPort(recordedPorts(config[portsKey]), asked)) },
      }),
      options,
    );
  } catch (error) {
    if (wasTaken(error) && !(await isLocalPortFree(asked.host)))
      throw await taken(app, container, asked, error);
    throw incusFailure(error, `forwarding port ${asked.host} failed`);
  }
  app.io.tell(
    `http://127.0.0.1:${asked.host} on this host leads to port ${asked.container} of ${name}`,
  );
  if (json) app.io.printJson({ container: name, ...shape(asked) });
}

async function remove(
  app: App,
  container: Container,
  word: string,
  json: boolean | undefined,
): Promise<void> {
  const { name, instance } = container;
  const gone = portNamed(portsOf(container), word);
  try {
    await replaceContainer(
      await app.incus(),
      refOf(instance),
      (now) => {
        const { [portDevice(gone)]: _, ...devices } = now.devices;
        const left = recordedPorts(now.config[portsKey]).filter(({ host }) => host !== gone.host);
        return { ...now, devices, config: { ...now.config, [portsKey]: JSON.stringify(left) } };
      },
      { signal: app.signal, timeoutMs: limitMs },
    );
  } catch (error) {
    throw incusFailure(error, `taking port ${gone.host} away failed`);
  }
  app.io.tell(`Port ${gone.host} of this host does not lead into ${name} any more`);
  if (json) app.io.printJson({ container: name, ...shape(gone) });
}

function portsOf({ instance }: Container): Forwarding[] {
  return recordedPorts(instance.config[portsKey]);
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

/** Somebody was faster: Incus says what its listener met. After a lost call the port may be in use by this very session. */
function wasTaken(error: unknown): boolean {
  return isIncusError(error) && error.status !== 0 && /address already in use/i.test(error.message);
}

/** Why a port of the host cannot be had, and which one can. */
async function taken(
  app: App,
  container: Container,
  asked: Forwarding,
  cause?: unknown,
): Promise<CoiError> {
  const [holder, free] = await Promise.all([whoHas(app, asked.host), nextFree(asked.host)]);
  return new CoiError('failed', `port ${asked.host} of this host is in use${holder}`, {
    ...(free === undefined
      ? {}
      : {
          hint: `The next free one: coi ports add ${free}:${asked.container} ${container.name}`,
        }),
    cause,
  });
}

/** ` by …`, or nothing where that cannot be known. */
async function whoHas(app: App, port: number): Promise<string> {
  const instances = await (await app.incus()).instances({ signal: app.signal });
  const sessions = coiContainers(instances, app.prefix, undefined).map((container) => ({
    ...container,
    ports: container.status === 'Stopped' ? [] : portsOf(container),
  }));
  const name = sessionWith(sessions, port);
  if (name !== undefined) {
    const owner = sessions.find((one) => one.name === name)?.session?.owner;
    return owner === app.user.uid ? ` by session ${name}` : " by another user's session";
  }
  const holder = portHolder(port);
  if (!holder) return '';
  if (holder.program) return ` by ${basename(holder.program)} (process ${holder.pid})`;
  return holder.uid === app.user.uid ? '' : ` by a program of user ${holder.uid}`;
}

async function nextFree(port: number): Promise<number | undefined> {
  for (let next = port + 1; next <= Math.min(port + looksMax, 65_535); next += 1)
    if (await isLocalPortFree(next)) return next;
  return undefined;
}
