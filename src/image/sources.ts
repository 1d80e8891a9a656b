// Which Debian mirror the host uses, read from its apt sources, and the same mirror for the image's release. Pure.
import { CoiError } from '../errors.ts';

/** The release that every image is, whatever the host is. */
export const imageRelease = 'trixie';
const debianKeyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

export interface AptSource {
  readonly uri: string;
  readonly suites: readonly string[];
  /** A path on the host; undefined for the keys that apt trusts for everything. */
  readonly signedBy: string | undefined;
}

/** The `deb` entries of a file of /etc/apt, of either format (sources.list(5)). */
export function aptSources(text: string, format: 'deb822' | 'one-line'): AptSource[] {
  return format === 'deb822' ? stanzas(text) : lines(text);
}

function stanzas(text: string): AptSource[] {
  const plain = text.replace(/^#.*\n?/gm, '');
  return plain.split(/\n\s*\n/).flatMap((stanza) => {
    const fields = new Map<string, string>();
    for (const [, name, value] of stanza.matchAll(/^([A-Za-z-]+):((?:.*)(?:\n[ \t].*)*)/gm)) {
      fields.set((name ?? '').toLowerCase(), (value ?? '').trim());
    }
    const words = (name: string) =>
      (fields.get(name) ?? '').split(/\s+/).filter((word) => word !== '');
    if (!words('types').includes('deb') || fields.get('enabled') === 'no') return [];
    const key = fields.get('signed-by');
    return words('uris').map((uri) => ({
      uri,
      suites: words('suites'),
      signedBy: key?.startsWith('/') ? key : undefined,
    }));
  });
}

function lines(text: string): AptSource[] {
  return text.split('\n').flatMap((line) => {
    const [, options, uri, suite] = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)/.exec(line) ?? [];
    if (uri === undefined || suite === undefined) return [];
    const key = /(?:^|\s)signed-by=(\/\S+)/i.exec(options ?? '')?.[1];
    return [{ uri, suites: [suite], signedBy: key }];
  });
}

export interface OsRelease {
  readonly id: string;
  readonly name: string;
  readonly codename: string;
}

/** ID, PRETTY_NAME and VERSION_CODENAME of /etc/os-release. */
export function osRelease(text: string): OsRelease {
  const field = (name: string) => new RegExp(`^${name}="?([^"\\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
  return {
    id: field('ID'),
    name: field('PRETTY_NAME') || field('ID'),
    codename: field('VERSION_CODENAME'),
  };
}

/** Main archive, updates and security of the image's release, on the host's mirrors. Throws `image-build-failed`. */
export function imageSources(host: OsRelease, sources: readonly AptSource[]): AptSource[] {
  const found: AptSource[] = [];
  const release = (suite: string) => [host.codename, 'stable', imageRelease].includes(suite);
  for (const { uri, suites, signedBy } of sources) {
    const wanted = suites.flatMap((suite) => {
      const [, name = '', kind] = /^([a-z]+)(?:[-/](updates|security))?$/.exec(suite) ?? [];
      if (!release(name)) return [];
      return [kind === undefined ? imageRelease : `${imageRelease}-${kind}`];
    });
    const fresh = wanted.filter((suite) => !found.some((one) => one.suites.includes(suite)));
    if (fresh.length > 0) found.push({ uri, suites: [...new Set(fresh)], signedBy });
  }
  if (host.id !== 'debian' || !found.some(({ suites }) => suites.includes(imageRelease))) {
    throw new CoiError(
      'image-build-failed',
      `no Debian mirror in the apt sources of this host (${host.name || 'unknown system'})`,
      {
        hint: 'The image is made from a Debian mirror: add one to /etc/apt/sources.list.d, or import an image and name it in [container] image.',
      },
    );
  }
  return found;
}

/** A deb822 file; `keyring` turns the host's key path into the one to write. */
export function sourcesFile(
  sources: readonly AptSource[],
  keyring: (path: string | undefined) => string | undefined,
): string {
  return sources
    .map(({ uri, suites, signedBy }) => {
      const key = keyring(signedBy);
      const fields = [
        'Types: deb',
        `URIs: ${uri}`,
        `Suites: ${suites.join(' ')}`,
        'Components: main',
        ...(key ? [`Signed-By: ${key}`] : []),
      ];
      return `${fields.join('\n')}\n`;
    })
    .join('\n');
}

/** What stays in the image: no user name or password in an address, Debian's own keyring unless the host uses another. */
export function keptSources(sources: readonly AptSource[]): { text: string; keyrings: string[] } {
  const open = sources.map((source) => ({
    ...source,
    uri: source.uri.replace(/^([a-z+]+:\/\/)[^/@]*@/, '$1'),
  }));
  const foreign = (path: string | undefined) => path !== undefined && path !== debianKeyring;
  const keyrings = [
    ...new Set(
      sources.flatMap(({ signedBy }) =>
        signedBy !== undefined && foreign(signedBy) ? [signedBy] : [],
      ),
    ),
  ];
  const place = (path: string | undefined) =>
    path !== undefined && foreign(path)
      ? `/usr/share/keyrings/${path.split('/').at(-1)}`
      : debianKeyring;
  return { text: sourcesFile(open, place), keyrings };
}

/** Settings of `apt-config dump` that say how the mirror is reached and whether an old snapshot of it will do. */
export function acquireSettings(dump: string): string[] {
  return dump
    .split('\n')
    .filter((line) =>
      /^Acquire::(?:https?::|Check-Valid-Until |Check-Date |Retries |ForceIPv[46] )/i.test(line),
    );
}

/** Those of them that hold inside a container too: no proxies, since an address of the host may not be one there. */
export function keptSettings(settings: readonly string[]): string[] {
  return settings.filter((line) => /^Acquire::Check-/i.test(line));
}
