// Parses apt's source files in both formats (sources.list(5)). Pure.

/** One apt source, in either format. */
export interface AptSource {
  readonly types: readonly string[];
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /**
   * Every other field of a deb822 stanza or option of a line, by its deb822 name: Signed-By, Architectures, Trusted,
   * ...
   */
  readonly options: Readonly<Record<string, string>>;
}

/** Reads a `.sources` file (deb822, sources.list(5)). Disabled stanzas are left out. */
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
        // A continued value, such as an inline key, stays as it is.
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

/** Reads a `.list` file: one source per line. */
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
