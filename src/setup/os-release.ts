// The distribution, from os-release(5), and where apt finds Incus for it. Pure.
import type { AptSource } from './apt-sources.ts';

export interface Release {
  readonly id: string;
  readonly like: readonly string[];
  readonly version: number | undefined;
  readonly codename: string | undefined;
  readonly title: string;
}

/** Reads /etc/os-release. */
export function parseRelease(text: string): Release {
  const value = (key: string) => {
    const raw = new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1]?.trim();
    return raw?.replace(/^(["'])(.*)\1$/, '$2') || undefined;
  };
  const version = Number(value('VERSION_ID'));
  return {
    id: value('ID') ?? 'linux',
    like: value('ID_LIKE')?.split(/\s+/) ?? [],
    version: Number.isFinite(version) && value('VERSION_ID') !== undefined ? version : undefined,
    codename: value('VERSION_CODENAME'),
    title: value('PRETTY_NAME') ?? value('ID') ?? 'Linux',
  };
}

/** Where apt finds Incus 6.0 or newer. */
export type IncusOrigin =
  | { readonly kind: 'main' }
  | { readonly kind: 'backports'; readonly codename: string }
  | { readonly kind: 'unknown' };

export function incusOrigin({ id, version, codename }: Release): IncusOrigin {
  if (id === 'debian') {
    if (version === 12) return { kind: 'backports', codename: codename ?? 'bookworm' };
    // Testing and unstable have no VERSION_ID.
    return version === undefined || version > 12 ? { kind: 'main' } : { kind: 'unknown' };
  }
  if (id === 'ubuntu')
    return version !== undefined && version >= 24.04 ? { kind: 'main' } : { kind: 'unknown' };
  return { kind: 'unknown' };
}

/** The source of the distribution's own archive: the one that names the codename itself as a suite. */
export function mainSource(sources: readonly AptSource[], codename: string): AptSource | undefined {
  return sources.find(
    ({ types, suites, components }) =>
      types.includes('deb') && suites.includes(codename) && components.includes('main'),
  );
}

export function hasSuite(sources: readonly AptSource[], suite: string): boolean {
  return sources.some(({ types, suites }) => types.includes('deb') && suites.includes(suite));
}

/**
 * A deb822 file for another suite of the same archive, with the same keys: it names only servers that the host already
 * uses.
 */
export function derivedSource(source: AptSource, suite: string): string {
  const options = Object.entries(source.options).map(([name, value]) => `${name}: ${value}`);
  return [
    '# Written by `coi setup`: Incus for this release.',
    'Types: deb',
    `URIs: ${source.uris.join(' ')}`,
    `Suites: ${suite}`,
    'Components: main',
    ...options,
    '',
  ].join('\n');
}
