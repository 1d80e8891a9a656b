// Matches paths against the names that host tools read automatically. Pure.
import { foldedName } from '../store/case-folding.ts';
import { knownNames, type Rank } from './known-names.ts';

export interface NameMatch {
  readonly why: string;
  readonly rank: Rank;
  /** How many path components match, counted from the end: 1 is the name alone. */
  readonly parts: 1 | 2;
  /** Applies to everything below a directory with that name. */
  readonly whole: boolean;
}

const byName = new Map<string, NameMatch>();
const byDirectory = new Map<string, NameMatch>();
const byPlace = new Map<string, NameMatch>();
const patterns: (readonly [RegExp, NameMatch])[] = [];

for (const { why, rank, names, pattern, directories, places } of knownNames) {
  for (const name of names ?? []) addTo(byName, name, { why, rank, parts: 1, whole: false });
  for (const name of directories ?? [])
    addTo(byDirectory, name, { why, rank, parts: 1, whole: true });
  for (const place of places ?? []) addTo(byPlace, place, { why, rank, parts: 2, whole: true });
  if (pattern) patterns.push([pattern, { why, rank, parts: 1, whole: false }]);
}

const anyPattern = new RegExp(patterns.map(([{ source }]) => `(?:${source})`).join('|'));
const placeParents = new Set([...byPlace.keys()].map((place) => place.split('/')[0]));

function addTo(map: Map<string, NameMatch>, key: string, known: NameMatch): void {
  if (!map.has(key)) map.set(key, known);
}

/**
 * Matches an entry by its name and the name of its parent. Names that begin with a dot match in any spelling that a file
 * system may treat as equal.
 */
export function matchName(
  name: string,
  parent: string,
  kind: 'directory' | 'link' | 'other',
): NameMatch | undefined {
  const folded = foldHidden(name);
  const above = foldHidden(parent);
  const place = placeParents.has(above) ? byPlace.get(`${above}/${folded}`) : undefined;
  if (place) return place;
  const whole = kind === 'other' ? undefined : byDirectory.get(folded);
  if (whole) return whole;
  if (kind === 'directory') return undefined;
  const named = byName.get(folded);
  if (named || !anyPattern.test(folded)) return named;
  return patterns.find(([pattern]) => pattern.test(folded))?.[1];
}

/** The form for comparison: only hidden names are case-folded. */
export function foldHidden(name: string): string {
  if (/^\.[\u0021-\u0040\u005b-\u007e]*$/.test(name)) return name;
  const first = name.codePointAt(0) ?? 0;
  if (first !== 0x2e && first < 0x80) return name;
  const folded = foldedName(name);
  return folded.startsWith('.') ? folded : name;
}
