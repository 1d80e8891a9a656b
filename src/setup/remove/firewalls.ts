// Finds setup's rules in other firewalls (checks/firewall.ts) by the bridge's name, and how to remove them.
import type { SetupHost } from '../../host/install/setup-host.ts';
import { parseRuleset, permitCommands } from '../checks/firewall.ts';
import { bridgeName } from '../checks/network.ts';

/** Commands that each remove one existing rule. */
export async function findFirewallRules(host: SetupHost): Promise<string[][]> {
  const outputOf = async (...argv: string[]) => (await host.run(argv)).stdout;
  const listed = JSON.stringify(parseRuleset(await host.run(['nft', '-j', 'list', 'ruleset'])));
  const legacy = ((await host.readText('/proc/net/ip_tables_names')) ?? '').includes('filter');
  return removalCommands({
    docker: listed.includes('DOCKER-USER')
      ? await outputOf('iptables', '-w', '-S', 'DOCKER-USER')
      : '',
    legacyDocker: legacy ? await outputOf('iptables-legacy', '-w', '-S', 'DOCKER-USER') : '',
    ufw: await outputOf('ufw', 'show', 'added'),
    firewalld: await outputOf('firewall-cmd', '--permanent', '--zone=trusted', '--list-interfaces'),
  });
}

/** Output of each firewall; empty if it is not installed. */
export interface FirewallListings {
  /** `iptables -S DOCKER-USER`, of both kinds. */
  readonly docker: string;
  readonly legacyDocker: string;
  /** `ufw show added` */
  readonly ufw: string;
  /** Interfaces of the zone. */
  readonly firewalld: string;
}

export function removalCommands({
  docker,
  legacyDocker,
  ufw,
  firewalld,
}: FirewallListings): string[][] {
  const added = (by: 'docker' | 'ufw' | 'firewalld', legacy: boolean) =>
    permitCommands([{ by, where: '' }], legacy);
  const names = (text: string) => text.split(/\s+/).includes(bridgeName);
  const dockerRules = (text: string, legacy: boolean) =>
    added('docker', legacy)
      .filter((argv) => hasRule(text, argv))
      .map((argv) => argv.map((word) => (word === '-I' ? '-D' : word)));
  return [
    ...dockerRules(docker, false),
    ...dockerRules(legacyDocker, true),
    ...added('ufw', false)
      .filter((argv) => ufw.split('\n').some((line) => line.trim() === argv.join(' ')))
      .map(([ufwProgram = '', ...words]) =>
        words[0] === 'route'
          ? [ufwProgram, 'route', 'delete', ...words.slice(1)]
          : [ufwProgram, 'delete', ...words],
      ),
    ...(names(firewalld)
      ? added('firewalld', false).map((argv) =>
          argv.map((word) => word.replace('--add-interface', '--remove-interface')),
        )
      : []),
  ];
}

/** iptables lists `-A` for a rule added with `-I`, and connection states in its own order. */
function hasRule(listing: string, argv: readonly string[]): boolean {
  const at = argv.indexOf('-I');
  const direction = argv.slice(at + 2, at + 4).join(' ');
  return listing
    .split('\n')
    .some((line) => line.startsWith('-A DOCKER-USER ') && line.includes(`${direction} `));
}
