/** Abbreviates the home directory as `~`. */
export function abbreviateHome(path: string, home: string): string {
  if (path === home) return '~';
  return path.startsWith(`${home}/`) && home !== '/' ? `~${path.slice(home.length)}` : path;
}
