// Detectors for the counters of the network guard: DNS queries and denied packets.
import type { Detector } from './detector.ts';

/** Counts different names, not queries: a package manager queries one name hundreds of times. */
export const dnsVolume: Detector = ({ recent, settings }) => {
  let ageMs = 0;
  let names = 0;
  for (const change of recent.toReversed()) {
    if (ageMs >= 60_000) break;
    ageMs += change.elapsedMs;
    names += change.dnsNames;
  }
  if (settings.dnsPerMinute === 0 || names <= settings.dnsPerMinute) return [];
  return [
    {
      level: 'warning',
      category: 'network',
      title: 'Very many DNS names queried',
      description: `The container queried ${names} different DNS names within a minute.`,
      evidence: { network: { namesPerMinute: names, threshold: settings.dnsPerMinute } },
      key: 'dns',
    },
  ];
};

/** Long, random labels below one domain suggest that data is sent out. */
export const dnsTunnel: Detector = ({ now }) => {
  const names = now.guard?.dnsLongNames ?? [];
  const byDomain = new Map<string, string[]>();
  for (const name of names) {
    const domain = name.split('.').slice(-2).join('.');
    byDomain.set(domain, [...(byDomain.get(domain) ?? []), name]);
  }
  return [...byDomain]
    .filter(([, asked]) => new Set(asked).size >= 5)
    .map(([domain, asked]) => ({
      level: 'high' as const,
      category: 'network' as const,
      title: 'Data in DNS queries',
      description: `${asked.length} DNS queries for long names below ${domain} were sent since the last scan.`,
      evidence: { network: { domain, questions: asked.length, examples: asked.slice(0, 3) } },
      key: domain,
    }));
};

/** True for a name whose labels look like encoded data rather than words. Passed to the resolver's counters. */
export function carriesData(name: string): boolean {
  const labels = name.replace(/\.$/, '').split('.');
  const carried = labels.slice(0, -2).join('');
  return (
    labels.some((label) => label.length > 50) ||
    (carried.length >= 40 && entropyBits(carried) > 3.6)
  );
}

export const denials: Detector = ({ now }) => {
  const places = new Map<string, number>();
  for (const { address, port, protocol } of now.guard?.denied ?? []) {
    const place = `${protocol} ${address}:${port}`;
    places.set(place, (places.get(place) ?? 0) + 1);
  }
  return [...places].slice(0, 20).map(([place, count]) => ({
    level: 'info' as const,
    category: 'network' as const,
    title: 'Denied by the network guard',
    description: `${place} was blocked.`,
    evidence: { network: { place, count } },
    key: place,
  }));
};

/** Entropy in bits per character. */
function entropyBits(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values())
    bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}
