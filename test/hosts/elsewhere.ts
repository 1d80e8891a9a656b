// A private address that a host can reach and that is nobody's: it ends in a network namespace inside that host.
import type { SystemHost } from './system-host.ts';

export const elsewhere = { address: '10.99.9.9', port: 8080, says: 'elsewhere' } as const;
const far = '198.51.100.2';

/** Makes the namespace with a server in it. It lasts until the host is rebooted. */
export async function openElsewhere(host: SystemHost): Promise<void> {
  const { address, port, says } = elsewhere;
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

/** What bash hears there: the server's word, or nothing. */
const script = `timeout 5 bash -c 'exec 3<>/dev/tcp/${elsewhere.address}/${elsewhere.port} && cat <&3'`;

/** What the host itself hears from there. Throws if the way does not end in the namespace. */
export async function heardByHost(host: SystemHost): Promise<string> {
  await assertEnclosed(host);
  return (await host.run('sh', '-c', script)).stdout;
}

/** What a session hears from there. */
export async function heardBySession(host: SystemHost, container: string): Promise<string> {
  await assertEnclosed(host);
  return (await host.run('incus', 'exec', container, '--', 'sh', '-c', script)).stdout;
}

async function assertEnclosed(host: SystemHost): Promise<void> {
  const route = await host.must('ip', '-4', 'route', 'get', elsewhere.address);
  if (!route.includes(`via ${far} dev near`))
    throw new Error(`${elsewhere.address} does not end in the namespace: ${route}`);
}
