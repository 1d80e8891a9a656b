// Which part of a path is a name that a tool of the host looks for by itself. Pure.
import { foldedName } from '../store/case-folding.ts';
import { knownNames, type Rank } from './names.ts';

export interface Known {
  readonly why: string;
  readonly rank: Rank;
  /** How many parts of the path, counted from its end, make it one: 1 is the name alone. */
  readonly parts: 1 | 2;
  /** It counts for everything below a directory of that name. */
  readonly whole: boolean;
}

const byName = new Map<string, Known>();
const byDirectory = new Map<string, Known>();
const byPlace = new Map<string, Known>();
const patterns: (readonly [RegExp, Known])[] = [];

for (const { why, rank, names, pattern, directories, places } of knownNames) {
  for (const name of names ?? []) addTo(byName, name, { why, rank, parts: 1, whole: false });
  for (const name of directories ?? [])
    addTo(byDirectory, name, { why, rank, parts: 1, whole: true });
  for (const place of places ?? []) addTo(byPlace, place, { why, rank, parts: 2, whole: true });
  if (pattern) patterns.push([pattern, { why, rank, parts: 1, whole: false }]);
}

const anyPattern = new RegExp(patterns.map(([{ source }]) => `(?:${source})`).join('|'));
const placeParents = new Set([...byPlace.keys()].map((place) => place.split('/')[0]));

function addTo(map: Map<string, Known>, key: string, known: Known): void {
  if (!map.has(key)) map.set(key, known);
}

/**
 * What a tool of the host takes an entry for, by its name and that of the directory that holds it. Names that begin with
 * a dot are known in any spelling that a file system may take for the usual one.
 */
export function knownName(
  name: string,
  parent: string,
  kind: 'directory' | 'link' | 'other',
): Known | undefined {
  const folded = foldedOf(name);
  const above = foldedOf(parent);
  const place = placeParents.has(above) ? byPlace.get(`${above}/${folded}`) : undefined;
  if (place) return place;
  const whole = kind === 'other' ? undefined : byDirectory.get(folded);
  if (whole) return whole;
  if (kind === 'directory') return undefined;
  const named = byName.get(folded);
  if (named || !anyPattern.test(folded)) return named;
  return patterns.find(([pattern]) => pattern.test(folded))?.[1];
}

/** As it is compared: only hidden names are told apart by fewer things than their bytes. */
export function foldedOf(name: string): string {
  if (/^\.[\u0021-\u0040\u005b-\u007e]*$/.test(name)) return name;
  const first = name.codePointAt(0) ?? 0;
  if (first !== 0x2e && first < 0x80) return name;
  const folded = foldedName(name);
  return folded.startsWith('.') ? folded : name;
}
