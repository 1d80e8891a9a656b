// Configured extras of a session besides its mounts: ports, sockets and login files of the host.
import { posix } from 'node:path';
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { CoiError } from '../../errors.ts';
import { agentIds } from '../../guest-user.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { pathEnters, readNamedFile } from '../../host/fs/read-named-file.ts';
import { isPortFree } from '../../host/net/free-port.ts';
import type { Incus } from '../../incus/client.ts';
import type { Device, Devices } from '../../incus/shapes.ts';
import { keys } from '../../instance-keys.ts';
import { quoted, workspaceHash } from '../../names.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { type LaunchContext, reservationOf } from '../../session/lifecycle/launch.ts';
import type { Step } from '../../session/lifecycle/steps.ts';
import { type CredentialFile, credentialFiles } from '../../session/plan/credentials.ts';
import { guestHome } from '../../session/plan/environment.ts';
import { withLocalhostOnIPv4 } from '../../session/plan/hosts.ts';
import {
  assignPorts,
  type Forwarding,
  portDevices,
  portRange,
  portVariables,
} from '../../session/plan/ports.ts';
import type { SessionSpec } from '../../session/plan/session-spec.ts';
import { updateContainer } from '../../session/record/change-instance.ts';
import { writableSources } from '../../session/record/instance-record.ts';
import { knownWorkspaces } from '../../session/record/known-workspaces.ts';
import type { AppContext } from '../context.ts';

const patchMs = 60_000;
const fileMaxBytes = 2 ** 20;

export interface Extras {
  /** The launch steps with those for the extras added; unchanged if nothing is configured. */
  readonly steps: (launch: readonly Step<LaunchContext>[]) => readonly Step<LaunchContext>[];
  /** Variables that describe them to the agent; complete after the steps. */
  readonly environment: () => Record<string, string>;
}

export function planExtras(app: AppContext, { settings }: ResolvedConfig): Extras {
  const files = credentialFiles(settings.credentials, { host: app.user.home, guest: guestHome });
  const { sockets } = settings;
  const wanted = { pool: settings['ports.pool'], map: settings['ports.map'] };
  const hasPorts = wanted.pool > 0 || wanted.map.length > 0;
  const variables: Record<string, string> = Object.fromEntries(
    sockets.flatMap(({ env, container }) =>
      env === undefined ? [] : [[env, container.replace(/^tcp:/, '')]],
    ),
  );
  let ports: Forwarding[] = [];
  const choose: Step<LaunchContext> = {
    name: 'ports',
    title: 'Finding free ports',
    run: async (context) => {
      const { slot } = reservationOf(context);
      const hash = context.spec.hash ?? workspaceHash(context.spec.workspace);
      ports = assignPorts(wanted, hash, Number(slot), await freePorts(wanted, hash, Number(slot)));
      Object.assign(variables, portVariables(ports));
    },
  };
  const forward: Step<LaunchContext> = {
    name: 'forward',
    title: 'Forwarding ports, sockets and logins',
    run: async (context, signal) => {
      const { container, id } = reservationOf(context);
      if (sockets.length > 0) {
        const live = writableSources(await context.incus.instances({ signal }));
        refuseReplaceable(sockets, [...writableDirectories(context.spec), ...live]);
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
        if (ports.length > 0) await mapLocalhost(context.incus, container, signal);
        for (const file of files) await copyCredential(app, context, container, file);
      } catch (error) {
        throw incusFailure(error, 'forwarding ports, sockets or logins failed');
      }
    },
  };
  return {
    environment: () => variables,
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
 * Maps `localhost` to IPv4 in /etc/hosts, without which servers on `localhost` could not be reached. coi's images already
 * have it. A file above the limit does not come from an image and is not changed.
 */
export async function mapLocalhost(
  incus: Incus,
  container: string,
  signal: AbortSignal,
): Promise<void> {
  const path = '/etc/hosts';
  const existing = await incus.readFile(container, path, { signal });
  if (existing?.kind !== 'file') return;
  const before = await boundedText(existing.content);
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

/** Undefined above the limit: root in the container controls the content, which may be endless. */
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

/** Checks every port that could be assigned, before any is. */
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

/** Directories that the agent can write, and where it can replace anything with a link. */
function writableDirectories({ workspace, mounts }: SessionSpec): string[] {
  return [workspace, ...mounts.filter(({ readonly }) => !readonly).map(({ source }) => source)];
}

/** Incus resolves the path as root on each connection. Throws `config-invalid`. */
function refuseReplaceable(sockets: readonly { host: string }[], writable: readonly string[]) {
  const one = sockets.find(({ host }) => host.startsWith('/') && pathEnters(host, writable));
  if (!one) return;
  throw new CoiError(
    'config-invalid',
    `[[sockets]]: the agent can replace ${quoted(one.host)} with a link to another socket`,
    { hint: 'Let the service listen outside of the workspace, for example below /run/user.' },
  );
}

function socketDevices(sockets: readonly { host: string; container: string }[]): Devices {
  const endpoint = (address: string) => (address.startsWith('/') ? `unix:${address}` : address);
  return Object.fromEntries(
    sockets.map(({ host, container }, index): [string, Device] => [
      `coi-socket-${index}`,
      {
        type: 'proxy',
        bind: 'instance',
        connect: endpoint(host),
        listen: endpoint(container),
        ...(container.startsWith('/') ? { uid: '1000', gid: '1000', mode: '0600' } : {}),
      },
    ]),
  );
}

async function copyCredential(
  app: AppContext,
  { incus, spec }: LaunchContext,
  container: string,
  { from, to, mode, optional }: CredentialFile,
): Promise<void> {
  const own = writableDirectories(spec);
  const reach = { writable: () => [own, ...knownWorkspaces(app.user.home, hostFiles)], shown: own };
  const content = readNamedFile(from, reach, { maxBytes: fileMaxBytes });
  if (!content) {
    if (optional) return;
    throw new CoiError('config-invalid', `[[credentials]]: ${from} does not exist`);
  }
  const options = { ...agentIds, signal: app.signal };
  // Parents below the agent's home belong to the agent.
  const parents: string[] = [];
  for (let at = posix.dirname(to); at !== guestHome && at.length > 1; at = posix.dirname(at))
    parents.unshift(at);
  for (const path of to.startsWith(`${guestHome}/`) ? parents : []) {
    const existing = await incus.readFile(container, path, { signal: app.signal });
    if (!existing) await incus.makeDirectory(container, path, { ...options, mode: 0o700 });
  }
  await incus.writeFile(container, to, content.bytes, { ...options, mode });
}
