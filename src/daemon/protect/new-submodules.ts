// What git's index names as a submodule since a session began: an agent's `git add` can name any directory, and git of the host
// goes into each (`git status`) and runs what its configuration says. One with a repository is taken out of the index again;
// one without is sealed at the next look (session/git-submodules.ts). It is a race of some milliseconds, so who goes on with it
// is stopped.
import type { Below } from '../../host/guarded.ts';
import {
  type IndexPlace,
  type KnownSubmodules,
  knownAs,
  pathIn,
} from '../../session/git-submodules.ts';
import { type TreeFacts, wayOf } from '../../session/way.ts';
import {
  type Attempts,
  type Guarded,
  type KeeperParts,
  lookedAt,
  told,
} from './guarded-workspace.ts';
import { type FoundIndex, indexAt, type Places, takeOut } from './indexes.ts';
import type { Tampering } from './tampering.ts';
import { factsOf } from './tree-facts.ts';

/** By accident an agent adds a repository that it has cloned, and perhaps again. */
const attemptsMax = 10;
/** Another git holds the index. */
const againMs = 20;
const busyMax = 100;

/** Not at each event; who lets a session go on is told again. */
const stopEveryMs = 10_000;
/** After a look that failed. */
export const retryMs = 1000;

interface IndexLook {
  readonly tampering: readonly Tampering[];
  /** Something has to be sealed. */
  readonly isNew: boolean;
  readonly againMs: number | undefined;
}

interface IndexLooked extends Places {
  readonly facts: TreeFacts;
  readonly indexes: readonly IndexPlace[];
  readonly known: KnownSubmodules;
  readonly attempts: Attempts;
}

/**
 * Takes what was added to the indexes of a workspace out of them again; `known`: what they named when the first session
 * began. Returns when to look again, if that is known.
 */
export function indexesLooked(
  parts: KeeperParts,
  guarded: Guarded,
  below: Below,
  known: KnownSubmodules,
): number | undefined {
  const { plan, attempts, record } = guarded;
  const looked = lookedAt(parts, guarded, below);
  const facts = factsOf(looked);
  try {
    const look = lookAtIndexes({ ...looked, facts, indexes: plan.indexes, known, attempts });
    const nowMs = parts.elapsedMs();
    const isStopped = nowMs - (attempts.stoppedMs ?? Number.NEGATIVE_INFINITY) < stopEveryMs;
    const fresh = look.tampering.filter(({ what }) => what === 'submodule' || !isStopped);
    if (fresh.some(({ what }) => what === 'submodules')) attempts.stoppedMs = nowMs;
    told(parts, guarded, fresh);
    if (look.isNew) guarded.rhythm.soon(0);
    return look.againMs;
  } catch (error) {
    // A disk that is full, for example.
    parts.log('warning', 'index-not-read', { root: record.root, error });
    return retryMs;
  }
}

function lookAtIndexes(looked: IndexLooked): IndexLook {
  const { attempts, indexes } = looked;
  const looks = indexes.flatMap((place) => lookAt(looked, place) ?? []);
  const isBusy = looks.some(({ end }) => end === 'busy');
  attempts.busy = isBusy ? attempts.busy + 1 : 0;
  const tampering = looks.flatMap(({ place, paths, end }): Tampering[] => {
    const path = `${place.directory}/index`;
    if (end === 'stuck') return [{ path, what: 'submodules' }];
    if (end === 'busy') return attempts.busy > busyMax ? [{ path, what: 'submodules' }] : [];
    if (paths.length === 0) return [];
    attempts.count += 1;
    const what = attempts.count > attemptsMax ? 'submodules' : 'submodule';
    return [{ path: paths[0] ?? path, what }];
  });
  const fresh = looks.flatMap(({ open }) => open).filter((path) => !attempts.open.has(path));
  for (const path of fresh) attempts.open.add(path);
  const isNew = fresh.length > 0;
  return { tampering, isNew, againMs: isBusy && attempts.busy <= busyMax ? againMs : undefined };
}

interface PlaceLook {
  readonly place: IndexPlace;
  /** Those that were taken out. */
  readonly paths: readonly string[];
  /** Those that are not checked out. */
  readonly open: readonly string[];
  readonly end: 'done' | 'busy' | 'stuck';
}

function lookAt(looked: IndexLooked, place: IndexPlace): PlaceLook | undefined {
  if (place.top === undefined) return undefined;
  const before = knownAs(looked.known, `${place.directory}/index`);
  const found = indexAt(looked, place);
  const nothing = { place, paths: [], open: [] };
  if (found === 'missing' || before === 'unread') return undefined;
  if (found === 'unread' || (found.isSparse && before !== 'sparse'))
    return { ...nothing, end: 'stuck' };
  const { out, open } = sorted(looked, place, found);
  if (out.size === 0) return { ...nothing, open, end: 'done' };
  const end = found.isSplit ? 'stuck' : takeOut(looked, place, new Set(out.keys()));
  const paths = end === 'done' ? [...out.values()] : [];
  return { place, paths, open, end };
}

/** Those that are to be taken out, by the bytes of their names, and the others. */
function sorted(
  { facts, known }: IndexLooked,
  { top = '', isGuarded }: IndexPlace,
  { gitlinks }: FoundIndex,
): { readonly out: ReadonlyMap<string, string>; readonly open: readonly string[] } {
  const out = new Map<string, string>();
  const open: string[] = [];
  for (const { raw, path } of gitlinks) {
    const at = pathIn(top, path);
    if (at !== undefined && knownAs(known, at) !== undefined) continue;
    if (at === undefined || !isGuarded || isCheckedOut(facts, at)) out.set(raw, at ?? path);
    else open.push(at);
  }
  return { out, open };
}

/** Also one that is reached over a link, wherever that leads in a moment. */
function isCheckedOut(facts: TreeFacts, path: string): boolean {
  const { links, end } = wayOf(facts, path);
  if (links.length > 0 || end.kind !== 'inside') return true;
  return end.is === 'directory' && facts.kind(`${end.path}/.git`) !== 'missing';
}
