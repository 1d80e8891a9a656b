// What a session gets beside its mounts, by configuration: ports, sockets and login files of the host.
import { posix } from 'node:path';
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { CoiError } from '../../errors.ts';
import { agentIds } from '../../guest-user.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { leadsThrough, readNamed } from '../../host/fs/read-within.ts';
import { isPortFree } from '../../host/net/free-port.ts';
import type { Incus } from '../../incus/client.ts';
import type { Device, Devices } from '../../incus/shapes.ts';
import { keys } from '../../instance-keys.ts';
import { quoted, workspaceHash } from '../../names.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { type LaunchContext, reserved } from '../../session/lifecycle/launch.ts';
import type { Step } from '../../session/lifecycle/steps.ts';
import { type CredentialFile, credentialFiles } from '../../session/plan/credentials.ts';
import { guestHome } from '../../session/plan/environment.ts';
import { withLocalhostOnIPv4 } from '../../session/plan/hosts.ts';
import {
  type Forwarding,
  forwardings,
  portDevices,
  portRange,
  portVariables,
} from '../../session/plan/ports.ts';
import type { SessionWish } from '../../session/plan/session-wish.ts';
import { updateContainer } from '../../session/record/change-instance.ts';
import { writableSources } from '../../session/record/instance-record.ts';
import { knownWorkspaces } from '../../session/record/known-workspaces.ts';
import type { AppContext } from '../context.ts';

const patchMs = 60_000;
const fileMaxBytes = 2 ** 20;

export interface Extras {
  /** The steps of a launch with what has to be done for them; the same list where nothing is configured. */
  readonly steps: (launch: readonly Step<LaunchContext>[]) => readonly Step<LaunchContext>[];
  /** Variables that tell the agent of them; complete after the steps. */
  readonly environment: () => Record<string, string>;
}

export function extrasOf(app: AppContext, { settings }: ResolvedConfig): Extras {
  const files = credentialFiles(settings.credentials, { host: app.user.home, guest: guestHome });
  const { sockets } = settings;
  const wanted = { pool: settings['ports.pool'], map: settings['ports.map'] };
  const hasPorts = wanted.pool > 0 || wanted.map.length > 0;
  const told: Record<string, string> = Object.fromEntries(
    sockets.flatMap(({ env, container }) =>
      env === undefined ? [] : [[env, container.replace(/^tcp:/, '')]],
    ),
  );
  let ports: Forwarding[] = [];
  const choose: Step<LaunchContext> = {
    name: 'ports',
    title: 'Looking for free ports',
    run: async (context) => {
      const { slot } = reserved(context);
      const hash = context.wish.hash ?? workspaceHash(context.wish.workspace);
      ports = forwardings(wanted, hash, Number(slot), await freePorts(wanted, hash, Number(slot)));
      Object.assign(told, portVariables(ports));
    },
  };
  const forward: Step<LaunchContext> = {
    name: 'forward',
    title: 'Forwarding ports, sockets and logins',
    run: async (context, signal) => {
      const { container, id } = reserved(context);
      if (sockets.length > 0) {
        const live = writableSources(await context.incus.instances({ signal }));
        refuseExchangeable(sockets, [...writableBy(context.wish), ...live]);
      }
      const devices = { ...portDevices(ports), ...socketDevices(sockets) };
      const config = ports.length > 0 ? { [keys.ports]: JSON.stringify(ports) } : {};
      try {
        if (Object.keys(devices).length > 0)
          await updateContainer(
            context.incus,
            { name: container, mountsId: id },
            { devices, config },
            { signal, timeoutMs: patchMs },
          );
        if (ports.length > 0) await reachable(context.incus, container, signal);
        for (const file of files) await copied(app, context, container, file);
      } catch (error) {
        throw incusFailure(error, 'forwarding ports, sockets or logins failed');
      }
    },
  };
  return {
    environment: () => told,
    steps: (launch) => {
      if (!hasPorts && sockets.length === 0 && files.length === 0) return launch;
      const withChoice = launch.flatMap((step) =>
        hasPorts && step.name === 'reserve' ? [step, choose] : [step],
      );
      return [...withChoice, forward];
    },
  };
}

/**
 * Images of coi have it already; in others a server on `localhost` would not be reached. A file that is too large for
 * one is none that an image brings, and stays as it is.
 */
export async function reachable(
  incus: Incus,
  container: string,
  signal: AbortSignal,
): Promise<void> {
  const path = '/etc/hosts';
  const there = await incus.readFile(container, path, { signal });
  if (there?.kind !== 'file') return;
  const before = await boundedText(there.content);
  if (before === undefined) return;
  const after = withLocalhostOnIPv4(before);
  if (after !== before)
    await incus.writeFile(container, path, Buffer.from(after), {
      uid: 0,
      gid: 0,
      mode: 0o644,
      signal,
    });
}

/** Undefined if it is larger than that: whoever is root inside writes it, without an end if they like. */
async function boundedText(content: AsyncIterable<Buffer>): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop ends the stream.
  for await (const chunk of content) {
    size += chunk.length;
    if (size > fileMaxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Asks for every port that could be given out, before any is. */
async function freePorts(
  { map }: { map: readonly { host: number; listen: string }[] },
  hash: string,
  slot: number,
): Promise<(listen: string, port: number) => boolean> {
  const range = portRange(hash, slot);
  const candidates = [
    ...range.map((port) => ({ listen: '127.0.0.1', port })),
    ...map.flatMap(({ host, listen }) =>
      host > 0 ? [{ listen, port: host }] : range.map((port) => ({ listen, port })),
    ),
  ];
  const busy = new Set<string>();
  for (const { listen, port } of candidates)
    if (!(await isPortFree(listen, port))) busy.add(`${listen} ${port}`);
  return (listen, port) => !busy.has(`${listen} ${port}`);
}

/** What the agent can write, where it can put a link in the place of anything. */
function writableBy({ workspace, mounts }: SessionWish): string[] {
  return [workspace, ...mounts.filter(({ readonly }) => !readonly).map(({ source }) => source)];
}

/** Incus follows the name as root, each time that somebody connects. Throws `config-invalid`. */
function refuseExchangeable(sockets: readonly { host: string }[], writable: readonly string[]) {
  const one = sockets.find(({ host }) => host.startsWith('/') && leadsThrough(host, writable));
  if (!one) return;
  throw new CoiError(
    'config-invalid',
    `[[sockets]]: ${quoted(one.host)} lies where the agent can put a link to another socket in its place`,
    { hint: 'Let the service listen outside of the workspace, for example below /run/user.' },
  );
}

function socketDevices(sockets: readonly { host: string; container: string }[]): Devices {
  const end = (place: string) => (place.startsWith('/') ? `unix:${place}` : place);
  return Object.fromEntries(
    sockets.map(({ host, container }, index): [string, Device] => [
      `coi-socket-${index}`,
      {
        type: 'proxy',
        bind: 'instance',
        connect: end(host),
        listen: end(container),
        ...(container.startsWith('/') ? { uid: '1000', gid: '1000', mode: '0600' } : {}),
      },
    ]),
  );
}

async function copied(
  app: AppContext,
  { incus, wish }: LaunchContext,
  container: string,
  { from, to, mode, optional }: CredentialFile,
): Promise<void> {
  const own = writableBy(wish);
  const reach = { writable: () => [own, ...knownWorkspaces(app.user.home, hostFiles)], shown: own };
  const content = readNamed(from, reach, { maxBytes: fileMaxBytes });
  if (!content) {
    if (optional) return;
    throw new CoiError('config-invalid', `[[credentials]]: ${from} does not exist`);
  }
  const options = { ...agentIds, signal: app.signal };
  // Parents below the agent's home are the agent's.
  const parents: string[] = [];
  for (let at = posix.dirname(to); at !== guestHome && at.length > 1; at = posix.dirname(at))
    parents.unshift(at);
  for (const path of to.startsWith(`${guestHome}/`) ? parents : []) {
    const there = await incus.readFile(container, path, { signal: app.signal });
    if (!there) await incus.makeDirectory(container, path, { ...options, mode: 0o700 });
  }
  await incus.writeFile(container, to, content.bytes, { ...options, mode });
}
