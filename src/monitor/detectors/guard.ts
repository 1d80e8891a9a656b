// What the network guard counted: questions for names, and packets that it did not let through.
import type { Detector } from './detector.ts';

/** Counts different names, not questions: a package manager asks for one name hundreds of times. */
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
      title: 'Very many different names asked for',
      description: `The container asked for ${names} different names within a minute.`,
      evidence: { network: { namesPerMinute: names, threshold: settings.dnsPerMinute } },
      key: 'dns',
    },
  ];
};

/** Long, random labels below one domain carry data out. */
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
      title: 'Data in questions for names',
      description: `${asked.length} questions with long names below ${domain} were asked since the last look.`,
      evidence: { network: { domain, questions: asked.length, examples: asked.slice(0, 3) } },
      key: domain,
    }));
};

/** True for a name whose labels look like encoded data rather than like words: interface of the resolver's counters. */
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
    description: `${place} was not let through.`,
    evidence: { network: { place, count } },
    key: place,
  }));
};

/** Bits for each character of a text. */
function entropyBits(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values())
    bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}
