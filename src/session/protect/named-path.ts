// Resolves a path in git's configuration: relative to the workspace, or absolute on the host. Pure.
import { isDevice } from './path-text.ts';
import type { TreeFacts } from './path-walk.ts';

export function resolveNamedPath(
  text: string,
  bases: readonly string[],
  join: (base: string, path: string) => string,
  facts: TreeFacts,
): string[] {
  // Too long to exist.
  if (text.length > 4095 || text.split('/').some((part) => Buffer.byteLength(part) > 255))
    return [];
  if (text.startsWith('/')) return isDevice(text) ? [] : [text];
  // Also `~user`: whose home it is does not matter if the path is in the workspace.
  const [, inHome] = /^~[^/]*(?:\/(.*))?$/s.exec(text) ?? [];
  if (text.startsWith('~')) return resolveInHome(inHome ?? '', facts);
  return bases.map((base) => join(base, text));
}

/** $HOME can differ from the home in the user database. */
function resolveInHome(path: string, { home, root }: TreeFacts): string[] {
  const parts = path.split('/');
  const likely = parts.flatMap((_, index) =>
    index > 0 && root.endsWith(`/${parts.slice(0, index).join('/')}`)
      ? [parts.slice(index).join('/')]
      : [],
  );
  return home === undefined ? likely : [`${home}/${path}`, ...likely];
}
