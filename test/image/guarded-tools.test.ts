// Real tools in an allowlist session: apt, npm, git over HTTPS, curl, and Docker inside, reach only listed hosts.
import assert from 'node:assert/strict';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { defaultImage } from '../../src/image/versions.ts';
import { makeBed } from '../bed/bed.ts';
import { openInternet, resolver } from '../network/internet.ts';
import type { DnsRecord } from '../network/internet-protocol.ts';
import { tinyImage } from './tiny-image.ts';
import { makeToolServer } from './tool-server.ts';

const image = process.env['COI_DEFAULT_IMAGE'] ?? defaultImage;
const hosts = { listed: 'tools.example.org', other: 'tools.example.net' } as const;
const addresses = { [hosts.listed]: '104.16.1.1', [hosts.other]: '104.16.1.2' };

/** Reports for each tool and host whether it succeeded; the reasons go to stderr. */
const fetchScript = `
said() { # name, command
  if bash -c "$2" >log 2>&1; then echo "$1 ok"; else echo "$1 refused"; sed "s/^/$1: /" log >&2; fi
}
ca=$PWD/ca.pem
# systemd opens it while it starts.
until [ -S /run/docker.sock ]; do sleep 0.05; done
(${tinyImage})
for host; do
  cd "$(mktemp -d)"
  echo "deb [trusted=yes] http://$host/apt ./" >own.list
  apt="sudo apt-get -qy -o Dir::Etc::sourcelist=$PWD/own.list -o Dir::Etc::sourceparts=- -o APT::Update::Error-Mode=any -o Acquire::Retries=0"
  said "apt $host" "$apt clean && $apt update && $apt install --reinstall own-package && grep 'from apt' /opt/own-package"
  said "npm $host" "npm install --cafile $ca --registry https://$host --no-audit --fetch-retries=0 --cache $PWD/cache own-thing && node node_modules/own-thing | grep 'from npm'"
  said "git $host" "git -c http.sslCAInfo=$ca clone --quiet https://$host/project.git && grep 'from git' project/README"
  said "docker $host" "docker run --rm tiny /bin/busybox wget -q -O - http://$host/own-thing"
  said "curl $host" "curl --fail --silent --show-error --cacert $ca https://$host/own-thing"
done
said 'curl 93.184.215.14' 'curl --fail --silent --show-error http://93.184.215.14/'
`;

test('apt, npm, git, curl and Docker inside reach an allowlisted host and no other', {
  timeout: 180_000,
}, async () => {
  const server = await makeToolServer(Object.values(hosts));
  const net = await openInternet(server);
  try {
    await using bed = await makeBed();
    const record = (name: string, data: string): DnsRecord => ({ name, type: 'A', ttl: 5, data });
    for (const address of [...Object.values(addresses), '93.184.215.14', resolver])
      await net.assertEnclosed(address);
    await net.zone(
      Object.fromEntries(
        Object.entries(addresses).map(([name, address]) => [
          name,
          { answers: [record(name, address)] },
        ]),
      ),
    );
    await writeFile(join(bed.workspace.path, 'ca.pem'), server.certificate);
    await writeFile(join(bed.workspace.path, 'fetch.sh'), fetchScript);
    const fetched = async (...allowed: string[]) => {
      const entries = allowed.map((host) => `"${host}:80,443"`).join(', ');
      const directory = join(bed.user.home, '.coi');
      await mkdir(directory, { recursive: true });
      await chown(directory, bed.user.uid, bed.user.gid);
      await writeFile(
        join(directory, 'config.toml'),
        `[network]\nmode = "allowlist"\nallowed_domains = [${entries}]\ndns_servers = ["${resolver}"]\n`,
      );
      const run = ['run', '--image', image, '--', 'bash', 'fetch.sh', ...Object.values(hosts)];
      const { stdout, stderr } = await bed.coi(run, { limitMs: 120_000 });
      return { lines: stdout.trim().split('\n'), stderr };
    };
    const each = (host: string, verdict: string) =>
      ['apt', 'npm', 'git', 'docker', 'curl'].map((tool) => `${tool} ${host} ${verdict}`);
    const narrow = await fetched(hosts.listed);
    assert.deepEqual(
      narrow.lines,
      [...each(hosts.listed, 'ok'), ...each(hosts.other, 'refused'), 'curl 93.184.215.14 refused'],
      narrow.stderr,
    );
    // The other host serves the same content to unguarded clients.
    const wide = await fetched(hosts.listed, hosts.other, '93.184.215.14');
    assert.deepEqual(
      wide.lines,
      [...each(hosts.listed, 'ok'), ...each(hosts.other, 'ok'), 'curl 93.184.215.14 ok'],
      wide.stderr,
    );
  } finally {
    await net.close();
  }
});
