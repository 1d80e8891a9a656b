// Which distribution this is and where it has Incus: pure readings of os-release(5) and of apt's source files.

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

/** One place that apt installs from, in either of its formats. */
export interface AptSource {
  readonly types: readonly string[];
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** Every other field of a deb822 stanza or option of a line, by its deb822 name: Signed-By, Architectures, Trusted, ... */
  readonly options: Readonly<Record<string, string>>;
}

/** Reads a `.sources` file (deb822, sources.list(5)). Stanzas that are switched off are left out. */
export function parseDeb822(text: string): AptSource[] {
  const stanzas = text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .split(/\n\s*\n/);
  return stanzas.flatMap((stanza) => {
    const fields = new Map<string, { name: string; value: string }>();
    let last: { name: string; value: string } | undefined;
    for (const line of stanza.split('\n')) {
      const match = /^([A-Za-z][A-Za-z0-9-]*)\s*:\s*(.*)$/.exec(line);
      if (match) {
        last = { name: match[1] ?? '', value: match[2]?.trim() ?? '' };
        fields.set(last.name.toLowerCase(), last);
      } else if (last && /^\s+\S/.test(line)) {
        // A continued value, such as a key written into the file, stays as it is.
        last.value += `\n${line}`;
      }
    }
    const words = (name: string) => fields.get(name)?.value.split(/\s+/).filter(Boolean) ?? [];
    if (/^(no|false|without|off|disable)$/i.test(fields.get('enabled')?.value ?? '')) return [];
    if (words('uris').length === 0 || words('suites').length === 0) return [];
    const known = ['types', 'uris', 'suites', 'components', 'enabled', 'x-repolib-name'];
    const options = [...fields]
      .filter(([name]) => !known.includes(name))
      .map(([, field]) => [field.name, field.value] as const);
    return [
      {
        types: words('types'),
        uris: words('uris'),
        suites: words('suites'),
        components: words('components'),
        options: Object.fromEntries(options),
      },
    ];
  });
}

const lineOptions: Readonly<Record<string, string>> = {
  'signed-by': 'Signed-By',
  arch: 'Architectures',
  lang: 'Languages',
  trusted: 'Trusted',
  'check-valid-until': 'Check-Valid-Until',
};

/** Reads a `.list` file: one source a line. */
export function parseSourceLines(text: string): AptSource[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(deb|deb-src)\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
    if (!match) return [];
    const [, type = '', options = '', uri = '', suite = '', components = ''] = match;
    const pairs = options.split(/\s+/).flatMap((option): [string, string][] => {
      const [name = '', value] = option.split(/=(.*)/s);
      const field = lineOptions[name.toLowerCase()];
      return field === undefined || value === undefined
        ? []
        : [[field, value.replaceAll(',', ' ')]];
    });
    const words = components.split(/\s+/).filter(Boolean);
    return [
      {
        types: [type],
        uris: [uri],
        suites: [suite],
        components: words,
        options: Object.fromEntries(pairs),
      },
    ];
  });
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

/** A deb822 file for another suite of the same archive, with the same keys: no server is named but the machine's own. */
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
