// A private address that a host can reach and nothing else uses: it ends in a network namespace inside that host.
import type { SystemHost } from './system-host.ts';

export const privateServer = { address: '10.99.9.9', port: 8080, says: 'elsewhere' } as const;
const far = '198.51.100.2';

/** Creates the namespace with a server in it. It lasts until the host reboots. */
export async function openPrivateServer(host: SystemHost): Promise<void> {
  const { address, port, says } = privateServer;
  await host.must(
    'sh',
    '-ec',
    `ip netns add elsewhere
     ip link add near type veth peer name far netns elsewhere
     ip address add 198.51.100.1/30 dev near
     ip link set near up
     ip netns exec elsewhere sh -ec '
       ip link set lo up
       ip address add ${far}/30 dev far
       ip address add ${address}/32 dev lo
       ip link set far up
       ip route add default via 198.51.100.1'
     ip route add ${address}/32 via ${far}`,
  );
  const server = `require('net').createServer((s) => s.on('error', () => undefined).end('${says}')).listen(${port}, '0.0.0.0', () => process.stdout.write('up'))`;
  const node = `/opt/coi/node_modules/node-linux-${process.arch}/bin/node`;
  await host.must(
    ...['systemd-run', '--quiet', '--unit=elsewhere'],
    ...['ip', 'netns', 'exec', 'elsewhere', node, '-e', server],
  );
  await host.must(
    'sh',
    '-c',
    `until ip netns exec elsewhere bash -c 'exec 3<>/dev/tcp/127.0.0.1/${port}'; do sleep 0.1; done 2>&1`,
  );
}

/** The server's message as bash receives it, or nothing. */
const script = `timeout 5 bash -c 'exec 3<>/dev/tcp/${privateServer.address}/${privateServer.port} && cat <&3'`;

/** The host's own connection to it. Throws if the route does not end in the namespace. */
export async function receivedByHost(host: SystemHost): Promise<string> {
  await assertEnclosed(host);
  return (await host.run('sh', '-c', script)).stdout;
}

/** A session's connection to it. */
export async function receivedBySession(host: SystemHost, container: string): Promise<string> {
  await assertEnclosed(host);
  return (await host.run('incus', 'exec', container, '--', 'sh', '-c', script)).stdout;
}

async function assertEnclosed(host: SystemHost): Promise<void> {
  const route = await host.must('ip', '-4', 'route', 'get', privateServer.address);
  if (!route.includes(`via ${far} dev near`))
    throw new Error(`${privateServer.address} does not end in the namespace: ${route}`);
}
