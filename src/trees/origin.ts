// The URL of a remote, for a tree that an agent works in. Pure.

/** Without user, password and query; undefined for a path of this host, which the tree could not reach. */
export function originWithoutCredentials(url: string): string | undefined {
  if (url === '' || url.startsWith('/') || url.startsWith('.') || url.startsWith('file:'))
    return undefined;
  if (!/^https?:/i.test(url)) return url;
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return undefined;
  }
  parsed.username = '';
  parsed.password = '';
  parsed.search = '';
  parsed.hash = '';
  return parsed.href;
}
