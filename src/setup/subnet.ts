// Selects a private network for the bridge that nothing on the host uses. Pure: takes routes and addresses as text.

export interface Subnet {
  /** The first address, as a number of 32 bits. */
  readonly base: number;
  readonly prefix: number;
}

/** Reads `a.b.c.d` or `a.b.c.d/n`; undefined for anything else. */
export function parseSubnet(text: string): Subnet | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/.exec(text);
  if (!match) return undefined;
  const bytes = match.slice(1, 5).map(Number);
  const prefix = Number(match[5] ?? 32);
  if (bytes.some((byte) => byte > 255) || prefix > 32) return undefined;
  const address = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  const size = 2 ** (32 - prefix);
  return { base: address - (address % size), prefix };
}

export function overlaps(one: Subnet, other: Subnet): boolean {
  const end = ({ base, prefix }: Subnet) => base + 2 ** (32 - prefix);
  return one.base < end(other) && other.base < end(one);
}

const bridgePrefix = 22;
/** 10.77.0.0/22 first, then its neighbours, then a quieter part of 172.16.0.0/12. */
const candidates: readonly string[] = [
  ...Array.from({ length: 50 }, (_, at) => `10.${77 + at}.0.0/${bridgePrefix}`),
  ...Array.from({ length: 10 }, (_, at) => `172.${30 - at}.64.0/${bridgePrefix}`),
  ...Array.from({ length: 60 }, (_, at) => `192.168.${252 - at * 4}.0/${bridgePrefix}`),
];

/** The first candidate that overlaps none of `taken`; undefined if all do. */
export function freeSubnet(taken: readonly Subnet[]): Subnet | undefined {
  for (const text of candidates) {
    const subnet = parseSubnet(text);
    if (subnet && !taken.some((other) => overlaps(subnet, other))) return subnet;
  }
  return undefined;
}

/** Destinations in the output of `ip -4 route show table all`; the default route does not count. */
export function routedSubnets(text: string): Subnet[] {
  return text.split('\n').flatMap((line) => {
    const [first = '', second = ''] = line.trim().split(/\s+/);
    const subnet = parseSubnet(
      ['local', 'broadcast', 'unreachable', 'blackhole', 'prohibit', 'throw'].includes(first)
        ? second
        : first,
    );
    return subnet && subnet.prefix > 1 ? [subnet] : [];
  });
}

/** The name servers of resolv.conf(5): a bridge whose network contains one would hide it. */
export function nameServers(text: string): Subnet[] {
  return [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].flatMap(
    (match) => parseSubnet(match[1] ?? '') ?? [],
  );
}

export function addressText(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

/** Configuration of the bridge: DHCP uses the last 256 addresses, coid allocates the others. */
export function bridgeConfig({ base, prefix }: Subnet): Record<string, string> {
  const last = base + 2 ** (32 - prefix) - 256;
  return {
    'ipv4.address': `${addressText(base + 1)}/${prefix}`,
    'ipv4.nat': 'true',
    'ipv4.dhcp.ranges': `${addressText(last + 2)}-${addressText(last + 250)}`,
    'ipv6.address': 'none',
  };
}
