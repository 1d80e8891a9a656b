// The home directory in which a session has its store. Pure.
import type { SessionRecord } from './instance-record.ts';

const top = '/.coi';

/** Undefined if none of its mounts tells: then `~/.coi` may be a link, or its agent keeps nothing. */
export function storeHome({ tool, session, mounts }: SessionRecord): string | undefined {
  const inside = `/sessions-${tool}/${session}/`;
  for (const { source } of mounts.mounts) {
    const at = source.indexOf(inside);
    if (at > top.length && source.slice(0, at).endsWith(top))
      return source.slice(0, at - top.length);
  }
  return undefined;
}
