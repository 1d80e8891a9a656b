// Where a path that git's configuration names leads: relative to the workspace, or absolute on the host. Pure.
import { isDevice } from './path-text.ts';
import type { TreeFacts } from './path-walk.ts';

export function placesOf(
  text: string,
  bases: readonly string[],
  join: (base: string, path: string) => string,
  facts: TreeFacts,
): string[] {
  // Nothing can be there.
  if (text.length > 4095 || text.split('/').some((part) => Buffer.byteLength(part) > 255))
    return [];
  if (text.startsWith('/')) return isDevice(text) ? [] : [text];
  // Also that of a named user: who that is does not matter where it leads here.
  const [, inHome] = /^~[^/]*(?:\/(.*))?$/s.exec(text) ?? [];
  if (text.startsWith('~')) return placesInHome(inHome ?? '', facts);
  return bases.map((base) => join(base, text));
}

/** The user's programs may be told of another home than the host's list of users has. */
function placesInHome(path: string, { home, root }: TreeFacts): string[] {
  const parts = path.split('/');
  const likely = parts.flatMap((_, index) =>
    index > 0 && root.endsWith(`/${parts.slice(0, index).join('/')}`)
      ? [parts.slice(index).join('/')]
      : [],
  );
  return home === undefined ? likely : [`${home}/${path}`, ...likely];
}
