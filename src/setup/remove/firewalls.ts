// What setup told other firewalls (checks/firewall.ts), found by the name of the bridge, and how it is taken back.
import type { SetupHost } from '../../host/install/setup-host.ts';
import { parseRuleset, permitCommands } from '../checks/firewall.ts';
import { bridgeName } from '../checks/network.ts';

/** Commands, each of which takes back one thing that is there now. */
export async function findFirewallRules(host: SetupHost): Promise<string[][]> {
  const said = async (...argv: string[]) => (await host.run(argv)).stdout;
  const listed = JSON.stringify(parseRuleset(await host.run(['nft', '-j', 'list', 'ruleset'])));
  const legacy = ((await host.readText('/proc/net/ip_tables_names')) ?? '').includes('filter');
  return removalCommands({
    docker: listed.includes('DOCKER-USER') ? await said('iptables', '-w', '-S', 'DOCKER-USER') : '',
    legacyDocker: legacy ? await said('iptables-legacy', '-w', '-S', 'DOCKER-USER') : '',
    ufw: await said('ufw', 'show', 'added'),
    firewalld: await said('firewall-cmd', '--permanent', '--zone=trusted', '--list-interfaces'),
  });
}

/** What each of them says; empty where it is not there. */
export interface FirewallListings {
  /** `iptables -S DOCKER-USER`, of both kinds. */
  readonly docker: string;
  readonly legacyDocker: string;
  /** `ufw show added` */
  readonly ufw: string;
  /** The interfaces of the zone. */
  readonly firewalld: string;
}

export function removalCommands({
  docker,
  legacyDocker,
  ufw,
  firewalld,
}: FirewallListings): string[][] {
  const told = (by: 'docker' | 'ufw' | 'firewalld', legacy: boolean) =>
    permitCommands([{ by, where: '' }], legacy);
  const names = (text: string) => text.split(/\s+/).includes(bridgeName);
  const dockerRules = (text: string, legacy: boolean) =>
    told('docker', legacy)
      .filter((argv) => hasRule(text, argv))
      .map((argv) => argv.map((word) => (word === '-I' ? '-D' : word)));
  return [
    ...dockerRules(docker, false),
    ...dockerRules(legacyDocker, true),
    ...told('ufw', false)
      .filter((argv) => ufw.split('\n').some((line) => line.trim() === argv.join(' ')))
      .map(([ufwProgram = '', ...words]) =>
        words[0] === 'route'
          ? [ufwProgram, 'route', 'delete', ...words.slice(1)]
          : [ufwProgram, 'delete', ...words],
      ),
    ...(names(firewalld)
      ? told('firewalld', false).map((argv) =>
          argv.map((word) => word.replace('--add-interface', '--remove-interface')),
        )
      : []),
  ];
}

/** iptables lists `-A` where it was told `-I`, and the states of a connection in an order of its own. */
function hasRule(listing: string, argv: readonly string[]): boolean {
  const at = argv.indexOf('-I');
  const way = argv.slice(at + 2, at + 4).join(' ');
  return listing
    .split('\n')
    .some((line) => line.startsWith('-A DOCKER-USER ') && line.includes(`${way} `));
}
