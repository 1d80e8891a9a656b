// The host's Debian mirror, read from its apt sources, and the same mirror for the image's release. Pure.
import { CoiError } from '../errors.ts';
import { parseDeb822, parseSourceLines } from '../setup/apt-sources.ts';
import type { Release } from '../setup/os-release.ts';

/** The Debian release of every image, whatever the host's is. */
export const imageRelease = 'trixie';
const debianKeyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** One apt source of the image's packages. */
export interface ImageSource {
  readonly uri: string;
  readonly suites: readonly string[];
  /** A path on the host; undefined for the keys that apt trusts for every source. */
  readonly signedBy: string | undefined;
}

/** The `deb` entries of a file of /etc/apt, of either format (sources.list(5)). */
export function hostSources(text: string, format: 'deb822' | 'one-line'): ImageSource[] {
  const sources = format === 'deb822' ? parseDeb822(text) : parseSourceLines(text);
  return sources
    .filter(({ types }) => types.includes('deb'))
    .flatMap(({ uris, suites, options }) => {
      const key = options['Signed-By'];
      const signedBy = key?.startsWith('/') ? key : undefined;
      return uris.map((uri) => ({ uri, suites, signedBy }));
    });
}

/** Main archive, updates and security of the image's release, on the host's mirrors. Throws `image-build-failed`. */
export function imageSources(host: Release, sources: readonly ImageSource[]): ImageSource[] {
  const found: ImageSource[] = [];
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
      `no Debian mirror in the apt sources of this host (${host.title})`,
      {
        hint: 'Add a Debian mirror to /etc/apt/sources.list.d, or import an image and name it in [container] image.',
      },
    );
  }
  return found;
}

/** A deb822 file; `keyring` maps the host's key path to the path to write. */
export function sourcesFile(
  sources: readonly ImageSource[],
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

/** The sources in the image: no user name or password in a URL, Debian's own keyring unless the host uses another. */
export function publishedSources(sources: readonly ImageSource[]): {
  text: string;
  keyrings: string[];
} {
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
  const keyring = (path: string | undefined) =>
    path !== undefined && foreign(path)
      ? `/usr/share/keyrings/${path.split('/').at(-1)}`
      : debianKeyring;
  return { text: sourcesFile(open, keyring), keyrings };
}

/** Settings of `apt-config dump` for access to the mirror, and for whether an old snapshot of it is accepted. */
export function acquireSettings(dump: string): string[] {
  return dump
    .split('\n')
    .filter((line) =>
      /^Acquire::(?:https?::|Check-Valid-Until |Check-Date |Retries |ForceIPv[46] )/i.test(line),
    );
}

/** The settings that also apply in a container: no proxies, since a container may not reach their addresses. */
export function publishedSettings(settings: readonly string[]): string[] {
  return settings.filter((line) => /^Acquire::Check-/i.test(line));
}
