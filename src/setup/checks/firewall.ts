// Other firewalls of the host. In nftables a drop is final in any chain: packets that Docker, ufw or firewalld drop
// never reach coi's own rules.
import type { RunResult, SetupHost } from '../../host/install/setup-host.ts';
import { type Check, finding, ok } from '../check.ts';
import { describeFailure } from '../run-or-throw.ts';
import { bridgeName } from './network.ts';

/** A firewall that drops packets of sessions, and the chain in which it does. */
export interface Blocker {
  readonly by: 'docker' | 'ufw' | 'firewalld' | 'other';
  readonly where: string;
}

type Objects = readonly Readonly<Record<string, Record<string, unknown>>>[];

interface Listing {
  readonly nftables: Objects;
}

/** `iptables` creates nftables rules; on hosts that still use the old backend, `iptables-legacy` creates its own. */
type Iptables = 'iptables' | 'iptables-legacy';

const legacyTables = '/proc/net/ip_tables_names';

export const firewall: Check = {
  id: 'bridge_forward_rules',
  title: 'Other firewalls',
  group: 'NETWORKING',
  run: async ({ host }) => {
    if (host.uid !== 0) return ok('not checked: only root can list firewall rules');
    const found = await findBlockers(host);
    if (found.length === 0) return ok(`no firewall drops packets of sessions on ${bridgeName}`);
    const names = [...new Set(found.map(({ by, where }) => (by === 'other' ? where : by)))];
    const fixable = found.filter(({ by }) => by !== 'other');
    return finding(
      'failed',
      `${names.join(' and ')} drops packets of sessions`,
      { blockers: found },
      fixable.length > 0
        ? {
            plan: `permit ${bridgeName} in ${names.join(' and ')} (coi's own rules still decide what sessions reach)`,
          }
        : {
            hint: `Accept traffic from and to ${bridgeName} in ${names.join(' and ')}; coi's own rules still decide what sessions reach.`,
          },
    );
  },
  fix: async ({ host }) => {
    for (const argv of permitCommands(await findBlockers(host), await legacyInUse(host)))
      await host.run(argv);
  },
};

export async function findBlockers(host: SetupHost): Promise<Blocker[]> {
  const listing = await host.run(['nft', '-j', 'list', 'ruleset']);
  const objects = parseRuleset(listing);
  const legacy = (await legacyInUse(host))
    ? (await host.run(['iptables-legacy', '-S'])).stdout
    : '';
  return [...blockersIn(objects, bridgeName), ...legacyBlockers(legacy, bridgeName)];
}

/**
 * Parses the output of nft; empty if nft is not installed. Throws if nft failed or printed nothing, which does not mean
 * a host without rules: even then a listing contains `metainfo`.
 */
export function parseRuleset(listing: RunResult): Objects {
  if (listing.status === 127) return [];
  if (listing.status !== 0) throw new Error(`\`nft list ruleset\` ${describeFailure(listing)}`);
  const objects =
    listing.stdout.trim() === '' ? [] : (JSON.parse(listing.stdout) as Listing).nftables;
  if (!objects.some((object) => 'metainfo' in object))
    throw new Error('`nft list ruleset` succeeded, but listed nothing');
  return objects;
}

/** Running the old iptables would load its kernel modules, so it is run only if they are in use. */
async function legacyInUse(host: SetupHost): Promise<boolean> {
  return ((await host.readText(legacyTables)) ?? '').split('\n').includes('filter');
}

/** Base chains that drop forwarded (or incoming) packets by default and do not permit the bridge. */
export function blockersIn(objects: Objects, bridge: string): Blocker[] {
  const chains = objects.flatMap(({ chain }) => (chain ? [chain] : []));
  const rules = objects.flatMap(({ rule }) => (rule ? [rule] : []));
  const tables = new Set(chains.map(({ family, table }) => `${family} ${table}`));
  return [...tables].flatMap((table) => {
    const own = chains.filter((chain) => `${chain['family']} ${chain['table']}` === table);
    const within = rules.filter((rule) => `${rule['family']} ${rule['table']}` === table);
    if (/ (?:incus|lxd|coi)\b/.test(table) || / coi_/.test(table)) return [];
    // The bridge has no IPv6, and Docker also drops IPv6 if it is enabled.
    if (table.startsWith('ip6 ')) return [];
    if (table === 'inet firewalld')
      return within.some((rule) => mentions(rule, bridge))
        ? []
        : [{ by: 'firewalld' as const, where: table }];
    const dropping = own.filter(
      ({ hook, policy }) => policy === 'drop' && (hook === 'forward' || hook === 'input'),
    );
    const blocked = dropping.filter(
      ({ hook }) =>
        !permits(within, bridge, hook === 'forward' ? ['iifname', 'oifname'] : ['iifname']),
    );
    const names = own.map(({ name }) => String(name));
    return blocked.map(({ name }) => ({ by: ownerOf(names), where: `${table} ${name}` }));
  });
}

/** Blocking chains in the output of `iptables-legacy -S`. */
export function legacyBlockers(listing: string, bridge: string): Blocker[] {
  const lines = listing.split('\n');
  const names = lines.flatMap((line) => /^-N (\S+)/.exec(line)?.[1] ?? []);
  const accepted = (flag: string) =>
    lines.some((line) => line.includes(`${flag} ${bridge} `) && line.endsWith('-j ACCEPT'));
  const needs = { FORWARD: ['-i', '-o'], INPUT: ['-i'] } as const;
  return (['FORWARD', 'INPUT'] as const)
    .filter((chain) => lines.includes(`-P ${chain} DROP`) && !needs[chain].every(accepted))
    .map((chain) => ({ by: ownerOf(names), where: `iptables-legacy ${chain}` }));
}

/** Commands that permit the bridge, once per blocking firewall. */
export function permitCommands(found: readonly Blocker[], legacy: boolean): string[][] {
  const by = new Set(found.map((blocker) => blocker.by));
  const iptables: Iptables = legacy ? 'iptables-legacy' : 'iptables';
  return [
    ...(by.has('docker')
      ? [
          [iptables, '-w', '-I', 'DOCKER-USER', '-i', bridgeName, '-j', 'ACCEPT'],
          [
            iptables,
            '-w',
            '-I',
            'DOCKER-USER',
            '-o',
            bridgeName,
            '-m',
            'conntrack',
            '--ctstate',
            'RELATED,ESTABLISHED',
            '-j',
            'ACCEPT',
          ],
        ]
      : []),
    ...(by.has('ufw')
      ? [
          ['ufw', 'allow', 'in', 'on', bridgeName],
          ['ufw', 'route', 'allow', 'in', 'on', bridgeName],
          ['ufw', 'route', 'allow', 'out', 'on', bridgeName],
        ]
      : []),
    ...(by.has('firewalld')
      ? [
          ['firewall-cmd', '--zone=trusted', `--add-interface=${bridgeName}`],
          ['firewall-cmd', '--permanent', '--zone=trusted', `--add-interface=${bridgeName}`],
        ]
      : []),
  ];
}

function ownerOf(chains: readonly string[]): Blocker['by'] {
  if (chains.some((name) => name.startsWith('ufw-') || name.startsWith('ufw_'))) return 'ufw';
  return chains.includes('DOCKER-USER') ? 'docker' : 'other';
}

function permits(
  rules: Objects[number][string][],
  bridge: string,
  keys: readonly string[],
): boolean {
  return keys.every((key) => rules.some((rule) => matches(rule, key, bridge) && accepts(rule)));
}

function matches(rule: Record<string, unknown>, key: string, bridge: string): boolean {
  return statements(rule).some((statement) => {
    const { left, right } = (statement['match'] ?? {}) as {
      left?: { meta?: { key?: unknown } };
      right?: unknown;
    };
    return left?.meta?.key === key && right === bridge;
  });
}

function accepts(rule: Record<string, unknown>): boolean {
  return statements(rule).some((statement) => 'accept' in statement);
}

function mentions(rule: Record<string, unknown>, bridge: string): boolean {
  return matches(rule, 'iifname', bridge) || matches(rule, 'oifname', bridge);
}

function statements(rule: Record<string, unknown>): Record<string, unknown>[] {
  return Array.isArray(rule['expr']) ? (rule['expr'] as Record<string, unknown>[]) : [];
}
