// What the mounts of a session tell about its store. Pure.
import type { SessionRecord } from './instance-record.ts';

type StoredSession = Pick<SessionRecord, 'tool' | 'session' | 'mounts'>;

interface StorePart {
  /** The directory that contains the stores, usually `~/.coi`. */
  readonly top: string;
  /** The state directory, relative to the home. */
  readonly stateDir: string;
}

/** The home directory of the store; undefined if `~/.coi` is a link, or if its agent keeps nothing. */
export function storeHome(record: StoredSession): string | undefined {
  const tops = storeParts(record).map(({ top }) => top);
  return tops.find((top) => /.\/\.coi$/.test(top))?.slice(0, -'/.coi'.length);
}

/** The state directories of its agent, relative to the home. */
export function stateDirectories(record: StoredSession): string[] {
  return storeParts(record).map(({ stateDir }) => stateDir);
}

function storeParts({ tool, session, mounts }: StoredSession): StorePart[] {
  const inside = `/sessions-${tool}/${session}/`;
  return mounts.mounts.flatMap(({ source }) => {
    const at = source.indexOf(inside);
    return at === -1
      ? []
      : [{ top: source.slice(0, at), stateDir: source.slice(at + inside.length) }];
  });
}
