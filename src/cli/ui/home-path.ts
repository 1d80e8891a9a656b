/** A path as people write it: the home as `~`. */
export function homePath(path: string, home: string): string {
  if (path === home) return '~';
  return path.startsWith(`${home}/`) && home !== '/' ? `~${path.slice(home.length)}` : path;
}
